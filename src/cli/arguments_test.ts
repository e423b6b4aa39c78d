import { deepEqual, equal, match } from "node:assert/strict";
import { type Command, parseArguments } from "./arguments.ts";
import { RESERVED_COMMANDS } from "./reserved.ts";

function parse(line: string): Command {
  return parseArguments(line === "" ? [] : line.split(" "));
}

function refusal(line: string): string {
  const command = parse(line);
  equal(command.kind, "usage", `${line} gave ${JSON.stringify(command)}`);
  return command.kind === "usage" ? command.message : "";
}

Deno.test("parseArguments - a configuration, with flags before or after it", () => {
  const run = { kind: "run", config: "a.toml", logFormat: "text" } as const;
  deepEqual(parse("a.toml"), run);
  for (const line of ["-s a.toml", "a.toml -s", "--server a.toml", "a.toml --server"]) {
    deepEqual(parse(line), { ...run, mode: "server" });
  }
  for (const line of ["-c a.toml", "a.toml --client"]) {
    deepEqual(parse(line), { ...run, mode: "client" });
  }
  for (const line of ["--log-format json a.toml", "a.toml --log-format=json"]) {
    deepEqual(parse(line), { ...run, logFormat: "json" });
  }
});

Deno.test("parseArguments - what follows -- is a file whatever it looks like", () => {
  deepEqual(parse("-s -- -c"), { kind: "run", config: "-c", mode: "server", logFormat: "text" });
  deepEqual(parse("-- check"), { kind: "run", config: "check", logFormat: "text" });
});

Deno.test("parseArguments - genkey takes a curve or none", () => {
  for (const line of ["--genkey", "--genkey x25519", "--genkey=x25519", "--genkey -s"]) {
    deepEqual(parse(line), { kind: "genkey", curve: "x25519" }, line);
  }
  for (const line of ["--genkey x448", "--genkey=x448", "-s --genkey x448"]) {
    deepEqual(parse(line), { kind: "genkey", curve: "x448" }, line);
  }
  match(refusal("--genkey foo"), /takes x25519 or x448, not 'foo'/);
  match(refusal("--genkey="), /needs x25519 or x448/);
  match(refusal("--genkey X25519"), /did you mean x25519\?/);
  match(refusal("--genkey x25519 a.toml"), /needs no configuration file/);
  match(refusal("a.toml --genkey"), /needs no configuration file, but 'a.toml'/);
});

Deno.test("parseArguments - help and version win over the rest", () => {
  for (const line of ["-h", "--help", "-s -c --help", "a.toml -h", "-sh"]) {
    deepEqual(parse(line), { kind: "help" }, line);
  }
  for (const line of ["-V", "--version", "-sV", "a b -V"]) {
    deepEqual(parse(line), { kind: "version" }, line);
  }
  deepEqual(parse(""), { kind: "nothing" });
});

Deno.test("parseArguments - says what is wrong", () => {
  match(refusal("-s -c a.toml"), /--server and --client exclude each other/);
  match(refusal("-sc a.toml"), /exclude each other/);
  match(refusal("-s -s a.toml"), /--server was given more than once/);
  match(refusal("-s"), /configuration file is missing/);
  match(refusal("a.toml b.toml"), /'b.toml' was given too/);
  match(refusal("--server=yes a.toml"), /--server takes no value, but 'yes'/);
  match(refusal("--log-format"), /--log-format needs text or json/);
  match(refusal("--log-format xml a.toml"), /takes text or json, not 'xml'/);
  equal(parseArguments([""]).kind, "usage");
});

Deno.test("parseArguments - suggests the option that was meant", () => {
  equal(refusal("--sever a"), "there is no option --sever; did you mean --server?");
  equal(refusal("--gen-key"), "there is no option --gen-key; did you mean --genkey?");
  equal(refusal("--log a"), "there is no option --log; did you mean --log-format?");
  equal(refusal("--verbose a"), "there is no option --verbose");
  equal(refusal("-x a"), "there is no option -x");
  equal(refusal("--constructor a"), "there is no option --constructor");
});

Deno.test("parseArguments - gen-cert takes hosts, a directory and --force", () => {
  const command = {
    kind: "gen-cert",
    hosts: ["a.example", "::1"],
    out: "d",
    force: false,
  } as const;
  for (
    const line of [
      "gen-cert a.example ::1 --out d",
      "gen-cert a.example --out=d ::1",
      "--out d gen-cert a.example ::1",
      "gen-cert --out d -- a.example ::1",
    ]
  ) {
    deepEqual(parse(line), command, line);
  }
  deepEqual(parse("gen-cert a.example ::1 --out d --force"), { ...command, force: true });
  deepEqual(parse("gen-cert --help"), { kind: "help" });
  match(refusal("gen-cert"), /needs the names or addresses .* rathole gen-cert tunnel\.example/);
  match(refusal("gen-cert --out d"), /needs the names/);
  match(refusal("gen-cert a"), /needs a directory to write to, as in --out certs/);
  match(refusal("gen-cert a --out"), /needs a directory/);
  match(refusal("gen-cert a --out="), /needs a directory/);
  match(refusal("gen-cert a --out d --out e"), /--out was given more than once/);
  match(refusal("gen-cert a --out d -s"), /--server does not go with gen-cert/);
  match(refusal("gen-cert a --out d --log-format json"), /--log-format does not go with gen-cert/);
  match(refusal("gen-cert a --out d --forse"), /did you mean --force\?/);
  match(refusal("a.toml --force"), /--force belongs to the command gen-cert/);
  match(refusal("a.toml --out d"), /--out belongs to the command gen-cert/);
  deepEqual(parse("-- gen-cert"), { kind: "run", config: "gen-cert", logFormat: "text" });
  deepEqual(parse("./gen-cert"), { kind: "run", config: "./gen-cert", logFormat: "text" });
});

Deno.test("parseArguments - words of commands win over files", () => {
  for (const word of RESERVED_COMMANDS.keys()) {
    match(refusal(word), new RegExp(`'${word}' .* is not there yet.*'./${word}'`));
    match(refusal(`${word} a.toml -s`), /is not there yet/);
    deepEqual(parse(`./${word}`), { kind: "run", config: `./${word}`, logFormat: "text" });
  }
});
