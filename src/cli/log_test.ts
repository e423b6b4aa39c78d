import { deepEqual, equal, match, ok } from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { FakeIo } from "../../tests/support/fake_io.ts";
import { openLog } from "./log.ts";
import { parseLogFilter } from "./log_filter.ts";

/** The lines that a log with this RUST_LOG prints for a line of each level of two targets. */
async function lines(rustLog: string, format: "text" | "json" = "text"): Promise<string[]> {
  const io = new FakeIo();
  {
    await using _log = openLog(io, format, parseLogFilter(rustLog).filter);
    for (const target of ["server", "client"]) {
      const logger = getLogger(["rathole", target]);
      logger.error("M", { n: 1 });
      logger.info("M", { n: 2 });
      logger.trace("M", { n: 3 });
    }
  }
  equal(io.stderr.text, "");
  return io.stdout.lines;
}

function short(line: string): string {
  return line.replace(/^\S+ +/, "");
}

Deno.test("openLog - prints each wanted line once", async () => {
  deepEqual((await lines("info")).map(short), [
    "ERROR rathole::server: M n=1",
    "INFO rathole::server: M n=2",
    "ERROR rathole::client: M n=1",
    "INFO rathole::client: M n=2",
  ]);
  deepEqual((await lines("off")).map(short), []);
});

Deno.test("openLog - a more verbose target below a quieter one", async () => {
  deepEqual((await lines("rathole=error,rathole::server=trace")).map(short), [
    "ERROR rathole::server: M n=1",
    "INFO rathole::server: M n=2",
    "TRACE rathole::server: M n=3",
    "ERROR rathole::client: M n=1",
  ]);
});

Deno.test("openLog - json lines", async () => {
  const [line] = await lines("error", "json");
  const { time, ...rest } = JSON.parse(line ?? "");
  match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  deepEqual(rest, { level: "ERROR", target: "rathole::server", message: "M", fields: { n: 1 } });
});

Deno.test("openLog - says how many lines were lost, in its own format", async () => {
  for (const format of ["text", "json"] as const) {
    const io = new FakeIo();
    {
      await using _log = openLog(io, format, parseLogFilter("info").filter);
      const logger = getLogger(["rathole", "server"]);
      io.stdout.failure = new Error("full");
      logger.info("lost");
      for (let i = 0; i < 20; i++) await Promise.resolve();
      equal(io.stdout.writes, 1);
      io.stdout.failure = undefined;
    }
    equal(io.stdout.lines.length, 1);
    ok(io.stdout.text.includes("1 log line dropped"), io.stdout.text);
  }
});

Deno.test("openLog - after its end nothing is printed", async () => {
  const io = new FakeIo();
  await openLog(io, "text", parseLogFilter("info").filter)[Symbol.asyncDispose]();
  getLogger(["rathole", "server"]).error("late");
  await Promise.resolve();
  equal(io.stdout.text, "");
});
