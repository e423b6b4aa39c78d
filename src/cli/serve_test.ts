import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { RatholeError } from "../runtime/errors.ts";
import { FakeIo } from "../../tests/support/fake_io.ts";
import { openLog } from "./log.ts";
import { parseLogFilter } from "./log_filter.ts";
import type { Running } from "./io.ts";
import { serve } from "./serve.ts";

/** Lets everything happen that is only waiting for its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function begin(io: FakeIo, start?: (signal: AbortSignal) => Promise<Running>) {
  const log = openLog(io, "text", parseLogFilter("info").filter);
  let reloads = 0;
  const ended = serve({
    start: start ?? (() => Promise.resolve(io.running)),
    reload: () => reloads++,
    drainSeconds: () => 10,
  }, io);
  return {
    ended,
    get reloads() {
      return reloads;
    },
    async messages(): Promise<string> {
      await log[Symbol.asyncDispose]();
      return io.stdout.text.replaceAll(/^\S+ +/gm, "");
    },
  };
}

Deno.test("serve - the first signal drains, then all is done", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const io = new FakeIo();
    const { ended, messages } = begin(io);
    await settle();
    io.signal(signal);
    await settle();
    deepEqual(io.running.calls, ["drain"]);
    io.running.finish();
    await ended;
    deepEqual(io.running.calls, ["drain", "dispose"]);
    equal(io.listening, 0);
    equal(
      await messages(),
      "INFO rathole: Shutting down, open connections may finish; signal again to end them now " +
        `signal=${signal} drain_timeout=10s\n`,
    );
  }
});

Deno.test("serve - the second signal ends at once", async () => {
  const io = new FakeIo();
  const { ended, messages } = begin(io);
  await settle();
  io.signal("SIGINT");
  await settle();
  io.signal("SIGTERM");
  io.signal("SIGTERM");
  await ended;
  deepEqual(io.running.calls, ["drain", "dispose"]);
  match(await messages(), /WARN rathole: Ending open connections signal=SIGTERM\n/);
});

Deno.test("serve - a hang-up stops what a terminal started and reloads everything else", async () => {
  const service = new FakeIo();
  const first = begin(service);
  await settle();
  service.signal("SIGHUP");
  await settle();
  deepEqual(service.running.calls, []);
  service.running.end();
  await first.ended;
  equal(first.reloads, 1);
  await first.messages();

  const terminal = new FakeIo();
  terminal.interactive = true;
  const second = begin(terminal);
  await settle();
  terminal.signal("SIGHUP");
  terminal.running.finish();
  await second.ended;
  deepEqual(terminal.running.calls, ["drain", "dispose"]);
  equal(second.reloads, 0);
  await second.messages();
});

Deno.test("serve - rejects with why it ended or did not start", async () => {
  const exhausted = new RatholeError("exhausted", "all services have given up");
  const io = new FakeIo();
  const { ended, messages } = begin(io);
  await settle();
  io.running.end(exhausted);
  await rejects(ended, exhausted);
  deepEqual(io.running.calls, ["dispose"]);
  await messages();

  const bind = new RatholeError("bind", "cannot listen on 127.0.0.1:80");
  const other = new FakeIo();
  const failed = begin(other, () => Promise.reject(bind));
  await rejects(failed.ended, bind);
  equal(other.listening, 0);
  await failed.messages();
});

Deno.test("serve - a signal while starting stops the start", async () => {
  const io = new FakeIo();
  const { ended, messages } = begin(io, (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }));
  await settle();
  io.signal("SIGINT");
  await ended;
  equal(io.listening, 0);
  await messages();
});

Deno.test("serve - what started too late is ended", async () => {
  const io = new FakeIo();
  const late = Promise.withResolvers<Running>();
  const { ended, messages } = begin(io, () => late.promise);
  await settle();
  io.signal("SIGINT");
  await settle();
  late.resolve(io.running);
  await ended;
  deepEqual(io.running.calls, ["dispose"]);
  await messages();
});

Deno.test("serve - a failing drain is told and does not keep it from ending", async () => {
  const io = new FakeIo();
  const { ended, messages } = begin(io);
  await settle();
  io.signal("SIGINT");
  io.running.finish(new Error("half of it is stuck"));
  await ended;
  match(await messages(), /WARN rathole: Some connections did not end well error="half of it/);
});

Deno.test("serve - an error that nobody caught ends it", async () => {
  const io = new FakeIo();
  const { ended, messages } = begin(io);
  await settle();
  const bug = new TypeError("x is not a function");
  io.crash(bug);
  await rejects(ended, bug);
  deepEqual(io.running.calls, ["dispose"]);
  await messages();
});

Deno.test("serve - does not wait for ever for what does not stop", async () => {
  const io = new FakeIo();
  const { ended, messages } = begin(io);
  await settle();
  io.running[Symbol.asyncDispose] = () => new Promise(() => {});
  io.signal("SIGINT");
  io.signal("SIGINT");
  await ended;
  match(await messages(), /WARN rathole: Something did not stop in time/);
});
