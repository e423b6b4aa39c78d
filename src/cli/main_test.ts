import { equal, match, ok } from "node:assert/strict";
import { RatholeError } from "../runtime/errors.ts";
import { FakeIo } from "../../tests/support/fake_io.ts";
import { eventually } from "../../tests/support/patience.ts";
import { HELP_TEXT, VERSION_TEXT } from "./help.ts";
import { main } from "./main.ts";

const SERVER = '[server]\nbind_addr = "127.0.0.1:0"\n[server.services]\n';
const CLIENT = '[client]\nremote_addr = "127.0.0.1:1"\n[client.services]\n';

function withFile(text: string): FakeIo {
  const io = new FakeIo();
  io.files.set("a.toml", text);
  return io;
}

Deno.test("main - help and version go to standard output", async () => {
  const io = new FakeIo();
  equal(await main(["--help"], io), 0);
  equal(await main(["-V"], io), 0);
  equal(io.stdout.text, HELP_TEXT + VERSION_TEXT);
  equal(io.stderr.text, "");
});

Deno.test("main - no arguments: the help on standard error", async () => {
  const io = new FakeIo();
  equal(await main([], io), 2);
  equal(io.stderr.text, HELP_TEXT);
  equal(io.stdout.text, "");
});

Deno.test("main - a mistake on the command line is one sentence and a reminder", async () => {
  const io = new FakeIo();
  equal(await main(["--sever\n", "a.toml"], io), 2);
  equal(io.stderr.lines.length, 2);
  match(
    io.stderr.text,
    /^rathole: there is no option --sever\\n; did you mean --server\?\nUsage: /,
  );
});

Deno.test("main - a reader that has gone is no failure, a full disk is", async () => {
  const io = new FakeIo();
  io.stdout.failure = new Deno.errors.BrokenPipe();
  equal(await main(["--help"], io), 0);
  io.stdout.failure = new Error("no space left");
  equal(await main(["--genkey"], io), 1);
  equal(io.stderr.text, "rathole: cannot write to standard output: no space left\n");
  io.stderr.failure = new Error("gone");
  equal(await main(["--genkey"], io), 1);
});

Deno.test("main - a file that cannot be read or understood", async () => {
  for (
    const [text, message] of [
      ["garbage", /^a\.toml:1:\d+: /],
      ["", /a\.toml/],
      ["[server]\nbind_adr = 1", /bind_adr.*bind_addr/],
    ] as const
  ) {
    const io = withFile(text);
    equal(await main(["a.toml"], io), 1, text);
    match(io.stderr.text, message);
    match(io.stderr.text, /nothing was started\n$/);
    equal(io.started.length, 0);
  }
  const io = new FakeIo();
  equal(await main(["b.toml"], io), 1);
  equal(io.stderr.text, "rathole: cannot read 'b.toml': there is no such file\n");
});

Deno.test("main - runs the block that is there, or that was asked for", async () => {
  for (
    const [text, args, mode] of [
      [SERVER, [], "server"],
      [CLIENT, [], "client"],
      [SERVER + CLIENT, ["--client"], "client"],
      [SERVER + CLIENT, ["-s"], "server"],
    ] as const
  ) {
    const io = withFile(text);
    const code = main(["a.toml", ...args], io);
    await io.up;
    equal(io.started[0]?.mode, mode);
    io.signal("SIGTERM");
    io.running.finish();
    equal(await code, 0);
    equal(io.stderr.text, "");
    match(io.stdout.text, /INFO rathole: Shutting down.*\n$/);
  }
});

Deno.test("main - flags against the file", async () => {
  for (
    const [text, args, message] of [
      [SERVER + CLIENT, [], /^rathole: .*--server or --client which one to run\n$/],
      [SERVER, ["-c"], /^rathole: --client was given, but .* no \[client\] block/],
    ] as const
  ) {
    const io = withFile(text);
    equal(await main(["a.toml", ...args], io), 1);
    match(io.stderr.text, message);
    equal(io.started.length, 0);
  }
});

Deno.test("main - failing to start or in the end is one line and exit code 1", async () => {
  for (
    const error of [
      new RatholeError("bind", "cannot listen on 127.0.0.1:80: in use"),
      new RatholeError("exhausted", "all services have given up"),
    ]
  ) {
    const io = withFile(SERVER);
    io.startFailure = error;
    equal(await main(["a.toml"], io), 1);
    equal(io.stderr.text, `rathole: ${error.message}\n`);
  }
});

Deno.test("main - an unforeseen error shows its stack only under RUST_LOG=debug", async () => {
  for (const [rustLog, lines] of [[undefined, 1], ["debug", 3]] as const) {
    const io = withFile(SERVER);
    io.rustLog = rustLog;
    const code = main(["a.toml"], io);
    await io.up;
    io.crash(new TypeError("x is not a function"));
    equal(await code, 1);
    ok(io.stderr.lines.length >= lines && (lines > 1 || io.stderr.lines.length === 1));
    match(io.stderr.text, /^rathole: internal error, please report it: x is not a function/);
  }
});

Deno.test("main - warnings are log lines, a bad RUST_LOG is told", async () => {
  const io = withFile(
    SERVER.replace(
      "[server.services]",
      '[server.services.a]\ntoken = ""\nbind_addr = "127.0.0.1:0"',
    ),
  );
  io.rustLog = "loud!,info";
  const code = main(["a.toml"], io);
  await io.up;
  io.running.end();
  equal(await code, 0);
  match(io.stdout.text, / WARN rathole::config: a\.toml:\d+:\d+: server\.services\.a\.token/);
  equal(
    io.stderr.text,
    "rathole: warning: RUST_LOG: ignoring 'loud!': that is no level and no target\n",
  );
});

Deno.test("main - a file that changes: what is said at the start is said again, and nothing ends", async () => {
  const broken = "[server]\nbind_adr = 1\n[server.services.a]\ntoken = 5\n";
  const start = withFile(broken);
  equal(await main(["a.toml"], start), 1);
  const report = start.stderr.lines.slice(0, -1);
  equal(report.length > 2, true);

  const io = withFile(SERVER);
  const code = main(["a.toml"], io);
  await io.up;
  const logged = async (pattern: RegExp) => {
    await eventually(`${pattern}`, () => io.stdout.text, (text) => pattern.test(text));
  };
  const write = async (text: string, pattern: RegExp) => {
    io.files.set("a.toml", text);
    io.hints.hint();
    await logged(pattern);
  };
  await write(broken, /refused, the one from before stays in use .*has \d errors/);
  for (const line of report) ok(io.stdout.text.includes(line), line);
  equal(io.stdout.text.match(/ERROR rathole::config: a\.toml/g)?.length, report.length);
  await write(SERVER, /INFO rathole::config: Configuration can be used again, nothing has changed/);
  await write(CLIENT, /refused.*only a \[client\] block now, and this process runs the server/);
  await write(SERVER + CLIENT, /refused.*say with --server or --client which one to run/);
  equal(io.running.updates.length, 0);

  const changed = SERVER.replace("127.0.0.1:0", "127.0.0.2:0");
  io.running.refusal = new RatholeError("bind", "cannot listen on 127.0.0.2:0");
  await write(changed, /refused.* reason="cannot listen on 127\.0\.0\.2:0" retry_in=0\.\ds/);
  io.running.refusal = undefined;
  await eventually("a second update", () => io.running.updates.length, (n) => n >= 2);
  io.files.delete("a.toml");
  io.hints.hint();
  await logged(/WARN rathole::config: .*cannot be read, what it said stays in use .*no such file/);
  io.files.set("a.toml", changed);
  io.signal("SIGHUP");
  await logged(/can be used again.*\n/);
  io.signal("SIGHUP");
  await logged(/INFO rathole::config: Configuration read again, nothing has changed/);
  io.signal("SIGTERM");
  io.running.finish();
  equal(await code, 0);
  equal(io.stderr.text, "");
});
