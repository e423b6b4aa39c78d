import { deepEqual, equal, match } from "node:assert/strict";
import { ConfigError, type Problem } from "../config/problem.ts";
import { RatholeError } from "../runtime/errors.ts";
import { describeFailure } from "./report.ts";

const PROBLEM: Problem = {
  file: "a.toml",
  line: 2,
  column: 1,
  key: "server.bind_adr",
  message: "is no known key",
  help: "did you mean bind_addr?",
  severity: "error",
};

Deno.test("describeFailure - every problem of a configuration on a line, then their number", () => {
  const warning: Problem = { ...PROBLEM, line: 3, severity: "warning" };
  deepEqual(describeFailure(new ConfigError([PROBLEM, warning]), undefined), [
    "a.toml:2:1: server.bind_adr: is no known key; did you mean bind_addr?",
    "a.toml:3:1: warning: server.bind_adr: is no known key; did you mean bind_addr?",
    "rathole: the configuration has an error, nothing was started",
  ]);
  equal(
    describeFailure(new ConfigError([PROBLEM, PROBLEM]), undefined).at(-1),
    "rathole: the configuration has 2 errors, nothing was started",
  );
});

Deno.test("describeFailure - failures are a sentence with their cause, never a stack", () => {
  const error = new RatholeError("bind", "cannot listen on a:1: in use");
  for (const rustLog of [undefined, "trace"]) {
    deepEqual(describeFailure(error, rustLog), ["rathole: cannot listen on a:1: in use"]);
    deepEqual(describeFailure(new Deno.errors.NotCapable("Requires net access"), rustLog), [
      "rathole: the Deno sandbox does not allow it: Requires net access",
    ]);
  }
});

Deno.test("describeFailure - a bug asks for a report, with the stack only where it is wanted", () => {
  const bug = new TypeError("x is not a function");
  for (const rustLog of [undefined, "info", "warn,rathole=info"]) {
    const lines = describeFailure(bug, rustLog);
    equal(lines.length, 1);
    match(
      lines[0] ?? "",
      /^rathole: internal error, please report it: x is not a function \(RUST_/,
    );
  }
  for (const rustLog of ["debug", "info,rathole::server=trace"]) {
    const lines = describeFailure(bug, rustLog);
    match(lines[1] ?? "", /TypeError/);
    match(lines[2] ?? "", /report_test\.ts/);
  }
  match(describeFailure("a text", "debug").join("\n"), /report it: a text$/);
});
