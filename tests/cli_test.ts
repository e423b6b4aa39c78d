/**
 * The program as a process: exit codes, messages, permissions, signals.
 *
 * @module
 */

import { doesNotMatch, equal, match, ok } from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);
const PATIENCE_MS = 20_000;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Setup {
  /** Permission flags; none unless told. */
  readonly allow?: readonly string[];
  readonly rustLog?: string;
}

function command(args: readonly string[], { allow = [], rustLog }: Setup): Deno.Command {
  const env: Record<string, string> = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  if (rustLog !== undefined) env["RUST_LOG"] = rustLog;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...allow, "mod.ts", ...args],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

async function rathole(args: readonly string[], setup: Setup = {}): Promise<Result> {
  const { code, stdout, stderr } = await command(args, setup).output();
  const result = { code, out: text(stdout), err: text(stderr) };
  doesNotMatch(result.err, /^\s+at .*:\d+:\d+|Stack|Uncaught/m);
  return result;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A configuration file, removed in the end. */
async function file(content: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile({ suffix: ".toml" });
  await Deno.writeTextFile(path, content);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** What the help tells people to allow. */
function permissionsFor(path: string): string[] {
  return ["--allow-net", `--allow-read=${path}`, "--allow-env=RUST_LOG"];
}

const server = (port = 0) => `[server]\nbind_addr = "127.0.0.1:${port}"\n[server.services]\n`;
const CLIENT = '[client]\nremote_addr = "127.0.0.1:1"\n[client.services]\n';

Deno.test("help, version and keys need no permission", async () => {
  const help = await rathole(["--help"]);
  equal(help.code, 0);
  match(help.out, /^Usage:$/m);
  equal(help.err, "");

  const version = await rathole(["-V"]);
  equal(version.code, 0);
  match(version.out, /^rathole \d+\.\d+\.\d+ .*0\.5\.0/);

  for (const args of [["--genkey"], ["--genkey", "x448"]]) {
    const keys = await rathole(args);
    equal(keys.code, 0);
    match(keys.out, /^Private Key:\n[\w+/]{43,}={0,2}\n\nPublic Key:\n[\w+/]{43,}={0,2}\n$/);
  }
});

Deno.test("a mistake on the command line exits with 2", async () => {
  const nothing = await rathole([]);
  equal(nothing.code, 2);
  equal(nothing.out, "");
  match(nothing.err, /^Usage:$/m);
  for (
    const [args, message] of [
      [["-s", "-c", "a.toml"], /^rathole: --server and --client exclude each other/],
      [["--sever", "a.toml"], /did you mean --server\?/],
      [["check"], /'check' .* is not there yet/],
      [["--genkey", "x25518"], /takes x25519 or x448/],
    ] as const
  ) {
    const { code, out, err } = await rathole(args);
    equal(code, 2);
    equal(out, "");
    match(err, message);
    equal(err.trimEnd().split("\n").length, 2);
  }
});

Deno.test("a configuration that cannot be read exits with 1 and one line", async () => {
  const directory = await Deno.makeTempDir();
  await using binary = await file("");
  await Deno.writeFile(binary.path, new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0xff, 0x00]));
  try {
    for (
      const [path, message] of [
        [`${directory}/none.toml`, /there is no such file/],
        [directory, /it is a directory/],
        [binary.path, /is not UTF-8 text/],
      ] as const
    ) {
      const { code, out, err } = await rathole([path], { allow: permissionsFor(path) });
      equal(code, 1);
      equal(out, "");
      match(err, message);
      equal(err.trimEnd().split("\n").length, 1);
    }
    const denied = await rathole([binary.path]);
    equal(denied.code, 1);
    ok(denied.err.includes(`--allow-read=${binary.path}`), denied.err);
  } finally {
    await Deno.remove(directory);
  }
});

Deno.test("a configuration that cannot be used exits with 1 and says where", async () => {
  for (
    const [content, args, message] of [
      ["garbage", [], /:1:\d+: /],
      ["", [], /\[server\].*\[client\]/],
      ['[server]\nbind_adr = "a:1"\n[server.services]\n', [], /:2:1: .*bind_adr.*bind_addr/],
      ['[server]\nbind_addr = "127.0.0.1:0', [], /:2:\d+: /],
      [server() + CLIENT, [], /--server or --client which one to run/],
      [server(), ["--client"], /no \[client\] block/],
    ] as const
  ) {
    await using config = await file(content);
    const { code, err } = await rathole([config.path, ...args], {
      allow: permissionsFor(config.path),
    });
    equal(code, 1, content);
    match(err, message);
  }
});

Deno.test("an address in use exits with 1 and one line", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using config = await file(server(port));
  const { code, err } = await rathole([config.path], { allow: permissionsFor(config.path) });
  equal(code, 1);
  match(err, new RegExp(`^rathole: .*127\\.0\\.0\\.1:${port}.*\n$`));
});

interface Started {
  readonly child: Deno.ChildProcess;
  /** All that it has printed once that matches; null: once it has ended. */
  until(pattern: RegExp | null): Promise<string>;
  /** Stops reading what it prints. */
  hangUp(): Promise<void>;
}

/** A running server, once it listens. */
async function start(
  path: string,
  { args = [], rustLog }: { args?: readonly string[]; rustLog?: string } = {},
): Promise<Started> {
  const allow = permissionsFor(path);
  const setup = rustLog === undefined ? { allow } : { allow, rustLog };
  const child = command([path, ...args], setup).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let out = "";
  const until = async (pattern: RegExp | null) => {
    while (pattern === null || !pattern.test(out)) {
      const { value, done } = await reader.read();
      if (done && pattern === null) break;
      if (done) throw new Error(`it ended: ${out} ${await new Response(child.stderr).text()}`);
      out += value;
    }
    return out;
  };
  await until(/rathole::server.*\n/);
  return { child, until, hangUp: () => reader.cancel() };
}

const SIGNALS = { ignore: Deno.build.os === "windows" };

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends a server with 0`, SIGNALS, async () => {
    await using config = await file(server());
    const { child, until } = await start(config.path);
    child.kill(signal);
    const out = await until(null);
    match(out, /^[\d-]{10}T[\d:]{8}\.\d{6}Z {2}INFO rathole::server: .*127\.0\.0\.1:\d+/);
    match(out, new RegExp(`INFO rathole: Shutting down.* signal=${signal} drain_timeout=10s\n`));
    match(out, /INFO rathole::server: Stopped\n$/);
    equal((await child.status).code, 0);
    equal(await new Response(child.stderr).text(), "");
  });
}

Deno.test("SIGHUP does not end a service, it has the file read again", SIGNALS, async () => {
  await using config = await file(server());
  const { child, until } = await start(config.path);
  child.kill("SIGHUP");
  await until(/INFO rathole::config: Configuration read again, nothing has changed\n/);
  child.kill("SIGTERM");
  await until(null);
  equal((await child.status).code, 0);
  await child.stderr.cancel();
});

Deno.test("a configuration out of a pipe cannot be read again, and is not", SIGNALS, async () => {
  const fifo = `${await Deno.makeTempDir()}/fifo`;
  const { success } = await new Deno.Command("mkfifo", { args: [fifo] }).output();
  ok(success);
  const [{ child, until }] = await Promise.all([
    start(fifo),
    Deno.writeTextFile(fifo, server()),
  ]);
  child.kill("SIGHUP");
  await until(/WARN rathole::config: Configuration file cannot be read.* not a file that can be/);
  child.kill("SIGTERM");
  doesNotMatch(await until(null), /ERROR/);
  equal((await child.status).code, 0);
  await child.stderr.cancel();
  await Deno.remove(new URL(".", `file://${fifo}`), { recursive: true });
});

Deno.test("a log that nobody reads any more does not end a service", SIGNALS, async () => {
  await using config = await file(server());
  const { child, hangUp } = await start(config.path);
  await hangUp();
  child.kill("SIGTERM"); // is logged, into a pipe without reader
  const { code, signal } = await child.status;
  equal(signal, null);
  equal(code, 0);
  equal(await new Response(child.stderr).text(), "");
});

Deno.test("RUST_LOG says what is logged and --log-format how", SIGNALS, async () => {
  await using config = await file(server());
  const { child, until } = await start(config.path, {
    args: ["--log-format=json"],
    rustLog: "rathole::server=info",
  });
  const [line = ""] = (await until(/\n/)).split("\n");
  const { target, level, fields } = JSON.parse(line);
  equal(target, "rathole::server");
  equal(level, "INFO");
  match(JSON.stringify(fields), /127\.0\.0\.1:\d+/);
  child.kill("SIGTERM");
  doesNotMatch(await until(null), /"target":"rathole"/);
  equal((await child.status).code, 0);
  await child.stderr.cancel();
});
