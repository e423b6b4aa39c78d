/**
 * Standard output that takes nothing: a full disk, a reader that is gone, one that is stuck. The
 * tunnel goes on, and the log does once it can.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { equal, match, ok } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { bothWays } from "../support/both_ways.ts";
import { startChild, textFile } from "../support/child.ts";
import { accepting } from "../support/doors.ts";
import { ask, bytesOf, echoService, textOf } from "../support/local_services.ts";
import { eventually, soon } from "../support/patience.ts";
import { freePort } from "../support/ports.ts";
import { anonymousMemory, idle, TIDY } from "../support/process.ts";
import { TOKEN } from "../support/tunnel.ts";

const OPTIONS = { ignore: Deno.build.os !== "linux", timeout: 60_000 };
const MIB = 1 << 20;
/** Visits of a round: each is some lines at trace. */
const VISITS = 2_000;
const AT_ONCE = 20;

/** The configuration of one program that is both ends would hide which one suffers: so two. */
interface Ends extends AsyncDisposable {
  readonly door: Address;
  /** Arguments of `deno` for the end whose log is in trouble. */
  readonly args: readonly string[];
  /** Starts the other end. */
  other(): AsyncDisposable;
}

async function ends(troubled: "server" | "client"): Promise<Ends> {
  const local = echoService();
  const [port, door] = [freePort(), { hostname: "127.0.0.1", port: freePort() }];
  const files = {
    server: await textFile(bothWays(
      `[server]\nbind_addr = "127.0.0.1:${port}"\ndefault_token = "${TOKEN}"\n` +
        `[server.services.it]\nbind_addr = "127.0.0.1:${door.port}"\n`,
    )),
    client: await textFile(bothWays(
      `[client]\nremote_addr = "127.0.0.1:${port}"\ndefault_token = "${TOKEN}"\n` +
        `retry_interval = 1\n[client.services.it]\nlocal_addr = "127.0.0.1:${local.address.port}"\n`,
    )),
  };
  const args = (end: "server" | "client") => [
    ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env=RUST_LOG"],
    ...[`--allow-read=${files[end].path}`, "mod.ts", files[end].path],
  ];
  return {
    door,
    args: args(troubled),
    other: () =>
      startChild(Deno.execPath(), { args: args(troubled === "server" ? "client" : "server") }),
    async [Symbol.asyncDispose]() {
      await local.stop();
      await files.server[Symbol.asyncDispose]();
      await files.client[Symbol.asyncDispose]();
    },
  };
}

/** So many visits, each answered. */
async function visits(door: Address, count = VISITS): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) equal(textOf(await ask(door, bytesOf("hello"))), "hello");
  }));
}

/** The same, with a look at what the program does about a log that nobody takes. */
async function unimpressed(door: Address, pid: number): Promise<void> {
  await visits(door);
  const before = await anonymousMemory(pid);
  for (let round = 0; round < 3; round++) await visits(door);
  const grown = (await anonymousMemory(pid) - before) / MIB;
  ok(grown < 32, `${grown} MiB more after ${3 * VISITS} visits`);
  await idle(pid, "the program");
}

for (const end of ["server", "client"] as const) {
  Deno.test(
    `stdout is a full device: 8,000 visits of the ${end} go on at trace`,
    OPTIONS,
    async () => {
      await using tunnel = await ends(end);
      await using troubled = startChild("sh", {
        args: ["-c", 'exec "$0" "$@" > /dev/full', Deno.execPath(), ...tunnel.args],
        env: { ...TIDY, RUST_LOG: "trace" },
      });
      await using _other = tunnel.other();
      await accepting(tunnel.door);
      await unimpressed(tunnel.door, troubled.pid);
      troubled.kill("SIGTERM");
      equal((await troubled.ended()).code, 0);
      equal(troubled.text, "");
    },
  );
}

/** The program with its standard output as a pipe that is this test's to read. */
function piped(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { ...TIDY, RUST_LOG: "trace", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

Deno.test("stdout has no reader any more: 8,000 visits go on, exit 0", OPTIONS, async () => {
  await using tunnel = await ends("server");
  const troubled = piped(tunnel.args);
  try {
    await troubled.stdout.cancel();
    await using _other = tunnel.other();
    await accepting(tunnel.door);
    await unimpressed(tunnel.door, troubled.pid);
  } finally {
    troubled.kill("SIGTERM");
  }
  equal((await soon("the end", troubled.status)).code, 0);
});

Deno.test(
  "a reader of stdout is stuck for 8,000 visits, then learns what it has missed",
  OPTIONS,
  async () => {
    await using tunnel = await ends("server");
    const troubled = piped(tunnel.args);
    let text = "";
    try {
      await using _other = tunnel.other();
      await accepting(tunnel.door);
      await unimpressed(tunnel.door, troubled.pid);
      const reading = (async () => {
        for await (const part of troubled.stdout.pipeThrough(new TextDecoderStream())) text += part;
      })();
      await eventually("the loss", async () => {
        await visits(tunnel.door, 1);
        return text.slice(-300);
      }, () => /\d+ log lines dropped.*reason=/.test(text));
      const seen = text.length;
      await visits(tunnel.door, 1);
      await eventually("the log to go on", () => text.slice(seen), (it) => /Visitor/.test(it));
      troubled.kill("SIGTERM");
      await soon("the end of the log", reading);
    } catch (error) {
      troubled.kill("SIGKILL");
      await troubled.status;
      throw error;
    }
    equal((await soon("the end", troubled.status)).code, 0);
    // Each line has its own: nothing is torn, and 8,000 visits were not kept.
    for (const line of text.trimEnd().split("\n")) {
      match(
        line,
        /^\d{4}-\d\d-\d\dT[\d:.]+Z +[A-Z]+ /,
      );
    }
    ok(text.length < 4 * MIB, `${text.length} bytes`);
  },
);

/** A file system of 64 KiB, for who may mount one. */
async function smallDisk(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  const run = async (program: string, ...args: string[]) => {
    const { success, stderr } = await new Deno.Command(program, { args }).output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  };
  await run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

/** Whether a disk can be mounted: not without being root, nor in many containers. */
const mountable = await smallDisk().then((disk) => disk[Symbol.asyncDispose]())
  .then(() => true, () => false);

Deno.test(
  `a disk of 64 KiB fills up with the log, and the log goes on when there is room${
    mountable ? "" : " (not run: a small one cannot be mounted here)"
  }`,
  { ...OPTIONS, ignore: !mountable },
  async () => {
    await using disk = await smallDisk();
    await using tunnel = await ends("server");
    const log = `${disk.path}/log`;
    {
      await using troubled = startChild("sh", {
        args: ["-c", `exec "$0" "$@" >> ${log}`, Deno.execPath(), ...tunnel.args],
        env: { ...TIDY, RUST_LOG: "trace" },
      });
      await using _other = tunnel.other();
      await accepting(tunnel.door);
      await unimpressed(tunnel.door, troubled.pid);
      equal((await Deno.stat(log)).size, 64 << 10);
      // As logrotate's copytruncate makes room.
      await Deno.truncate(log);
      await visits(tunnel.door, 1);
      await eventually(
        "the loss and what came after it",
        () => Deno.readTextFile(log),
        (text) => /\d+ log lines dropped[^]*Visitor disconnected/.test(text),
      );
      troubled.kill("SIGTERM");
      equal((await troubled.ended()).code, 0);
    }
  },
);
