import { deepEqual, equal, ok } from "node:assert/strict";
import type { LogLevel, LogRecord } from "@logtape/logtape";
import { RatholeError } from "../runtime/errors.ts";
import { Secret } from "../runtime/secret.ts";
import { jsonFormatter, textFormatter } from "./log_format.ts";

function record(
  message: string,
  properties: Record<string, unknown> = {},
  level: LogLevel = "info",
): LogRecord {
  return {
    category: ["rathole", "server"],
    level,
    message: [message],
    rawMessage: message,
    timestamp: Date.UTC(2026, 10, 23, 16, 0, 0, 123),
    properties,
  };
}

const text = textFormatter(false);
const json = jsonFormatter();

Deno.test("textFormatter - the shape that people grep", () => {
  equal(
    text(record("Listening", { addr: "0.0.0.0:2333" })),
    "2026-11-23T16:00:00.123000Z  INFO rathole::server: Listening addr=0.0.0.0:2333\n",
  );
  equal(
    text(record("Lost", {}, "warning")),
    "2026-11-23T16:00:00.123000Z  WARN rathole::server: Lost\n",
  );
  ok(text(record("x", {}, "error")).includes("Z ERROR rathole"));
  ok(text(record("x", {}, "trace")).includes("Z TRACE rathole"));
});

Deno.test("textFormatter - quotes what holds more than a word", () => {
  const properties = {
    empty: "",
    words: 'say "hi"',
    path: "C:\\x",
    pair: "a=b",
    number: 3,
    nothing: null,
    absent: undefined,
    list: ["a", 1],
    big: 10n,
  };
  equal(
    text(record("M", properties)).slice(
      "2026-11-23T16:00:00.123000Z  INFO rathole::server: ".length,
    ),
    'M empty="" words="say \\"hi\\"" path="C:\\\\x" pair="a=b" number=3 nothing=null ' +
      'list="[\\"a\\",1]" big=10\n',
  );
});

Deno.test("formatters - a stranger's text cannot start a line or steer a terminal", () => {
  const nasty = 'a\nb\r\t\u001b[2J\u009b1m\u007f\u2028\u202e\ud800\u0000"';
  for (const format of [text, textFormatter(true), json]) {
    for (const line of [format(record(nasty)), format(record("M", { [nasty]: nasty }))]) {
      equal(line.indexOf("\n"), line.length - 1);
      const own = line.replaceAll(/\p{Cc}\[\d+m/gu, "").slice(0, -1);
      ok(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(own), JSON.stringify(own));
    }
  }
  equal(JSON.parse(json(record(nasty))).message, nasty);
});

Deno.test("formatters - secrets are masked wherever they stand", () => {
  const token = new Secret("hunter2");
  for (const format of [text, json]) {
    const line = format(record("M", { token, nested: { token, list: [token] } }));
    ok(!line.includes("hunter2"), line);
    ok(line.includes("***"), line);
  }
});

Deno.test("formatters - errors are a sentence with their causes", () => {
  const error = new Error("cannot reach a:1", { cause: new RatholeError("connect", "refused") });
  ok(text(record("M", { error })).endsWith('error="cannot reach a:1: refused"\n'));
  equal(JSON.parse(json(record("M", { error }))).fields.error, "cannot reach a:1: refused");
});

Deno.test("formatters - values that JSON does not know, and endless ones, do no harm", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  for (const format of [text, json]) {
    ok(format(record("M", { cycle })).length < 300);
    ok(format(record("M", { big: { n: 1n, nan: NaN } })).includes("NaN"));
    ok(format(record("M", { long: "x".repeat(100_000) })).length < 5000);
    ok(format(record("x".repeat(100_000))).length < 5000);
  }
});

Deno.test("textFormatter - colours like Rust's tracing", () => {
  equal(
    textFormatter(true)(record("Listening", { addr: "a:1" })),
    "\x1b[2m2026-11-23T16:00:00.123000Z\x1b[0m \x1b[32m INFO\x1b[0m " +
      "\x1b[2mrathole::server\x1b[0m\x1b[2m:\x1b[0m Listening \x1b[3maddr\x1b[0m\x1b[2m=\x1b[0ma:1\n",
  );
});

Deno.test("jsonFormatter - one object a line, fields apart", () => {
  const line = json(record("Listening", { addr: "a:1", level: "mine" }, "warning"));
  ok(line.endsWith("}\n"));
  deepEqual(JSON.parse(line), {
    time: "2026-11-23T16:00:00.123000Z",
    level: "WARN",
    target: "rathole::server",
    message: "Listening",
    fields: { addr: "a:1", level: "mine" },
  });
  equal("fields" in JSON.parse(json(record("M"))), false);
});
