import { deepEqual, equal, match } from "node:assert/strict";
import type { LogLevel } from "@logtape/logtape";
import { parseLogFilter } from "./log_filter.ts";

const TARGETS = ["rathole", "rathole::server", "rathole::client"];

/** The most verbose level accepted of each target. */
function levels(text: string | undefined): (LogLevel | null)[] {
  const { filter, ignored } = parseLogFilter(text);
  deepEqual(ignored, []);
  const order: LogLevel[] = ["trace", "debug", "info", "warning", "error"];
  return TARGETS.map((target) => order.find((level) => filter.accepts(target, level)) ?? null);
}

Deno.test("parseLogFilter - info when nothing is said", () => {
  for (const text of [undefined, "", " ", ",,"]) deepEqual(levels(text), ["info", "info", "info"]);
});

Deno.test("parseLogFilter - one level for all, in any case or as a digit", () => {
  for (const text of ["warn", "WARN", "Warn", "2", " warn "]) {
    deepEqual(levels(text), ["warning", "warning", "warning"], text);
  }
  deepEqual(levels("off"), [null, null, null]);
  deepEqual(levels("trace"), ["trace", "trace", "trace"]);
});

Deno.test("parseLogFilter - the most specific directive decides, wherever it stands", () => {
  deepEqual(levels("rathole=debug,rathole::server=trace"), ["debug", "trace", "debug"]);
  deepEqual(levels("rathole::server=trace,rathole=debug"), ["debug", "trace", "debug"]);
  deepEqual(levels("warn,rathole::client=debug"), ["warning", "warning", "debug"]);
  deepEqual(levels("debug,rathole=off"), [null, null, null]);
  deepEqual(levels("trace,rathole::server=off"), ["trace", null, "trace"]);
  deepEqual(levels("info,debug"), ["debug", "debug", "debug"], "the last of equals");
});

Deno.test("parseLogFilter - a target that is not named logs nothing", () => {
  deepEqual(levels("rathole::client=debug"), [null, null, "debug"]);
  deepEqual(levels("hyper=trace"), [null, null, null]);
});

Deno.test("parseLogFilter - targets are prefixes, a target alone is all of it", () => {
  deepEqual(levels("rathole::serv=info"), [null, "info", null]);
  deepEqual(levels("rathole::server"), [null, "trace", null]);
  deepEqual(levels("rathole::server="), [null, "trace", null]);
});

Deno.test("parseLogFilter - the verbosest level is what LogTape must let through", () => {
  equal(parseLogFilter("warn,rathole::client=debug").filter.verbosest, "debug");
  equal(parseLogFilter("off").filter.verbosest, null);
  equal(parseLogFilter("off").filter.accepts("rathole", "fatal"), false);
  equal(parseLogFilter("error").filter.accepts("rathole", "fatal"), true);
});

Deno.test("parseLogFilter - ignores what it does not understand and keeps the rest", () => {
  for (
    const [text, why] of [
      ["rathole=loud", /'loud' is no level/],
      ["a=b=info", /more than one '='/],
      ["[span{field=1,other=2}]=debug", /span or field are not supported/],
      ["rathole[x]=debug", /not supported/],
      ["ra thole", /no level and no target/],
      ["verbose", /no level and no part of this program/],
    ] as const
  ) {
    const { filter, ignored } = parseLogFilter(`${text},rathole::server=warn`);
    equal(ignored.length, 1, text);
    match(ignored[0] ?? "", why);
    equal(filter.accepts("rathole::server", "warning"), true);
    equal(filter.accepts("rathole::server", "info"), false);
  }
  equal(parseLogFilter("rathole=loud").filter.accepts("rathole", "info"), true);
});
