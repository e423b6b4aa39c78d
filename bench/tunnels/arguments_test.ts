import { deepEqual, equal, match } from "node:assert/strict";
import { parseArguments, USAGE } from "./arguments.ts";

function parse(line: string) {
  return parseArguments(line === "" ? [] : line.split(" "));
}

function refusal(line: string): string {
  const request = parse(line);
  equal(request.kind, "usage", `${line} gave ${JSON.stringify(request)}`);
  return request.kind === "usage" ? request.message : "";
}

Deno.test("parseArguments - a run, as it comes and as told", () => {
  const run = { kind: "run", rounds: 7, seconds: 3, only: [] } as const;
  deepEqual(parse(""), run);
  deepEqual(parse("--rounds 2 --seconds=1 --only http,tcp.bulk --subjects ours,frp --out a.json"), {
    ...run,
    rounds: 2,
    seconds: 1,
    only: ["http", "tcp.bulk"],
    subjects: ["ours", "frp"],
    out: "a.json",
  });
  deepEqual(parse("--against ../old --subjects old,ours --ours ../new"), {
    ...run,
    subjects: ["old", "ours"],
    ours: "../new",
    against: "../old",
  });
});

Deno.test("parseArguments - a comparison after a run, and instead of one", () => {
  const old = parse("--compare old.json");
  equal(old.kind === "run" && old.compare, "old.json");
  deepEqual(parse("--compare old.json new.json"), {
    kind: "compare",
    old: "old.json",
    now: "new.json",
  });
  match(refusal("--compare old.json new.json --rounds 1"), /without running anything/);
  match(refusal("--compare a b c"), /'c' was not expected/);
  match(refusal("http"), /'http' was not expected/);
});

Deno.test("parseArguments - help wins, and its examples are understood", () => {
  equal(parse("--rounds 0x1 -h").kind, "help");
  const examples = Array.from(USAGE.matchAll(/^ {2}deno task bench (.+)$/gm));
  equal(examples.length, 2);
  for (const [, line = ""] of examples) equal(parse(line).kind, "run", line);
});

Deno.test("parseArguments - says what is wrong", () => {
  match(refusal("--round 1"), /no option --round; did you mean --rounds\?/);
  match(refusal("--rounds 0"), /--rounds takes a whole number from 1/);
  match(refusal("--seconds 1.5"), /--seconds takes a whole number/);
  match(refusal("--seconds"), /--seconds needs a value/);
  match(refusal("--rounds 1 --rounds 2"), /--rounds was given more than once/);
  match(refusal("--help=yes"), /--help takes no value/);
  match(refusal("--only htp"), /--only: there is no 'htp'; did you mean http\?/);
  match(refusal("--only http,"), /there is no ''/);
  match(
    refusal("--only nonsense"),
    /no 'nonsense'; groups are tcp, http, .*, mixed, delay, loss, memory, start$/,
  );
  match(refusal("--subjects nonsense"), /; names are rathole, ours, channels, old, frp, /);
  match(refusal("--subjects our"), /there is no 'our'; did you mean ours\?/);
  match(refusal("--subjects old"), /the checkout that --against names/);
  match(refusal("--subjects ours --against ../old"), /--subjects does not name old/);
});
