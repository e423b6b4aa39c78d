import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { Journal } from "./journal.ts";
import { cheapLogLine, type Level, type LogLine, logLine } from "./log_line.ts";

interface Happening {
  readonly type: string;
  readonly line: LogLine;
}

/** A journal whose log is kept, with the level, message and fields of each record. */
function watchedJournal() {
  const records: LogRecord[] = [];
  configureSync({
    sinks: { memory: (record) => records.push(record) },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      { category: ["rathole"], lowestLevel: "trace", sinks: ["memory"] },
    ],
  });
  const clock = new FakeClock();
  const journal = new Journal<Happening>(["rathole", "test"], () => clock.now(), (e) => e.line);
  return {
    clock,
    journal,
    records,
    cheap: (type: string) =>
      journal.record({ type, line: cheapLogLine("warn", `${type} happened`, { peer: "p" }) }),
    suppressed: () => records.map(({ properties }) => properties["suppressed"]),
    [Symbol.dispose]: resetSync,
  };
}

Deno.test("every level reaches the log under the journal's target, message and fields apart", () => {
  using watched = watchedJournal();
  const { journal, records } = watched;
  const levels: Level[] = ["error", "warn", "info", "debug", "trace"];
  for (const level of levels) {
    journal.record({ type: "t", line: logLine(level, "It happened", { service: "{web}" }) });
  }
  journal.trace("Detail", { n: 1 });
  assert.deepEqual(
    records.map(({ level, category, rawMessage, properties }) => ({
      level,
      category,
      rawMessage,
      properties,
    })),
    [
      ...["error", "warning", "info", "debug", "trace"].map((level) => ({
        level,
        category: ["rathole", "test"],
        rawMessage: "It happened",
        properties: { service: "{web}" },
      })),
      {
        level: "trace",
        category: ["rathole", "test"],
        rawMessage: "Detail",
        properties: { n: 1 },
      },
    ],
  );
});

Deno.test("what strangers cause is written 20 times in 10 s; the next line counts the rest", () => {
  using watched = watchedJournal();
  for (let i = 0; i < 120; i++) watched.cheap("refused");
  assert.equal(watched.records.length, 20);
  watched.clock.tick(9_999);
  watched.cheap("refused");
  assert.equal(watched.records.length, 20);
  watched.clock.tick(1);
  watched.cheap("refused");
  watched.cheap("refused");
  assert.deepEqual(watched.suppressed().slice(20), [101, undefined]);
});

Deno.test("a flood of one kind leaves the others' lines, and those that matter, alone", () => {
  using watched = watchedJournal();
  for (let i = 0; i < 50; i++) watched.cheap("refused");
  watched.cheap("failed");
  for (let i = 0; i < 50; i++) {
    watched.journal.record({ type: "lost", line: logLine("warn", "lost") });
  }
  const written = watched.records.map(({ rawMessage }) => rawMessage);
  assert.equal(written.filter((m) => m === "refused happened").length, 20);
  assert.equal(written.filter((m) => m === "failed happened").length, 1);
  assert.equal(written.filter((m) => m === "lost").length, 50);
});

Deno.test("who watches sees every event, written or not", async () => {
  using watched = watchedJournal();
  const events = watched.journal.stream.subscribe();
  for (let i = 0; i < 30; i++) watched.cheap("refused");
  watched.journal.stream.end();
  assert.equal((await Array.fromAsync(events)).length, 30);
});
