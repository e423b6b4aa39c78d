import { deepEqual, equal, ok } from "node:assert/strict";
import { SystemClock } from "../runtime/clock.ts";
import { MemorySink } from "../../tests/support/fake_io.ts";
import { LogWriter, type LogWriterLimits } from "./log_writer.ts";

function writerTo(sink: MemorySink, limits?: LogWriterLimits): LogWriter {
  const options = { clock: new SystemClock(), lossNotice: (n: number) => `lost ${n}\n` };
  return new LogWriter(sink, limits === undefined ? options : { ...options, limits });
}

/** Blocks the sink until the returned function is called. */
function block(sink: MemorySink): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  sink.gate = promise;
  return resolve;
}

Deno.test("LogWriter - lines of one turn share a write, in order", async () => {
  const sink = new MemorySink();
  const writer = writerTo(sink);
  for (let i = 0; i < 100; i++) writer.write(`${i}\n`);
  await writer.flush(1000);
  deepEqual(sink.lines, Array.from({ length: 100 }, (_, i) => `${i}`));
  equal(sink.writes, 1);
});

Deno.test("LogWriter - goes on where the stream took a part only", async () => {
  const sink = new MemorySink();
  sink.chunk = 3;
  const writer = writerTo(sink);
  writer.write("first line\n");
  writer.write("zweite Zeile ü\n");
  await writer.flush(1000);
  equal(sink.text.replaceAll("\ufffd", "").replace("ü", ""), "first line\nzweite Zeile \n");
});

Deno.test("LogWriter - a stuck stream costs lines, not memory, and the loss is told", async () => {
  const sink = new MemorySink();
  const release = block(sink);
  const writer = writerTo(sink, { lines: 2, chars: 1000 });
  writer.write("in flight\n");
  await writer.flush(1); // nothing gets through, so the deadline passes
  for (const line of ["a\n", "b\n", "c\n", "d\n"]) writer.write(line);
  release();
  await writer.flush(1000);
  deepEqual(sink.lines, ["in flight", "lost 2", "a", "b"]);
});

Deno.test("LogWriter - many characters are too many as well", async () => {
  const sink = new MemorySink();
  const writer = writerTo(sink, { lines: 100, chars: 10 });
  writer.write("12345678\n");
  writer.write("90\n");
  await writer.flush(1000);
  deepEqual(sink.lines, ["lost 1", "12345678"]);
});

Deno.test("LogWriter - a full disk costs the lines of its time", async () => {
  const sink = new MemorySink();
  const writer = writerTo(sink);
  sink.failure = new Error("no space left on device");
  writer.write("a\n");
  writer.write("b\n");
  await writer.flush(1000);
  equal(sink.text, "");
  sink.failure = undefined;
  writer.write("c\n");
  await writer.flush(1000);
  deepEqual(sink.lines, ["lost 2", "c"]);
});

Deno.test("LogWriter - a notice that was lost is not forgotten", async () => {
  const sink = new MemorySink();
  const writer = writerTo(sink);
  sink.failure = new Error("EPIPE");
  for (const line of ["a\n", "b\n", "c\n"]) {
    writer.write(line);
    await writer.flush(1000);
  }
  sink.failure = undefined;
  await writer.flush(1000);
  deepEqual(sink.lines, ["lost 3"]);
});

Deno.test("LogWriter - counts whole lines and ends a torn one", async () => {
  const sink = new MemorySink();
  const writer = writerTo(sink);
  const write = sink.write.bind(sink);
  sink.write = async (bytes) => {
    sink.failure = sink.writes > 0 ? new Error("full") : undefined;
    sink.chunk = 7;
    return await write(bytes);
  };
  for (const line of ["one\n", "two\n", "three\n"]) writer.write(line);
  await writer.flush(1000);
  equal(sink.text, "one\ntwo");
  sink.write = write;
  sink.failure = undefined;
  sink.chunk = Infinity;
  writer.write("four\n");
  await writer.flush(1000);
  deepEqual(sink.lines, ["one", "two", "lost 2", "four"]);
});

Deno.test("LogWriter - writing does not wait", () => {
  const sink = new MemorySink();
  block(sink);
  const writer = writerTo(sink);
  for (let i = 0; i < 10_000; i++) writer.write("line\n");
  ok(sink.writes <= 1);
});
