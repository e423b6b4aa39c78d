import assert from "node:assert/strict";
import {
  type ErrorCode,
  explain,
  isDescriptorExhaustion,
  isRetriable,
  RatholeError,
  systemCode,
} from "./errors.ts";

Deno.test("an error has a code, a message and a cause", () => {
  const cause = new Error("inner");
  const error = new RatholeError("connect", "cannot connect to a:1", { cause });
  assert(error instanceof Error);
  assert.equal(error.name, "RatholeError");
  assert.equal(error.code, "connect");
  assert.equal(error.cause, cause);
});

Deno.test("only what somebody must change first is not worth a retry", () => {
  // A Record: a code that is added needs a decision here.
  const retriable: Record<ErrorCode, boolean> = {
    config: false,
    bind: true,
    resolve: true,
    connect: true,
    timeout: true,
    protocol: true,
    version: true,
    auth: true,
    untrusted: true,
    proxy: true,
    service: true,
    limit: true,
    closed: true,
    aborted: false,
    permission: false,
    unsupported: false,
    exhausted: false,
  };
  for (const [code, expected] of Object.entries(retriable)) {
    assert.equal(isRetriable(new RatholeError(code as ErrorCode, "x")), expected, code);
  }
  assert(isRetriable(new Error("connection reset")));
  assert(isRetriable("thrown text"));
});

Deno.test("an explanation is one line of all that adds something", () => {
  const reset = new Error("connection\n  reset");
  assert.equal(explain(new Error("no way", { cause: reset })), "no way: connection reset");
  assert.equal(explain(new Error("no a:1", { cause: new Error("a:1") })), "no a:1");
  assert.equal(explain(new Error("", { cause: "text" })), "text");
  assert.equal(explain("text"), "text");
  assert.equal(explain(undefined), "");
});

Deno.test("our own errors say it all themselves", () => {
  const error = new RatholeError("connect", "cannot reach a:1", { cause: new Error("reset") });
  assert.equal(explain(error), "cannot reach a:1");
});

Deno.test("an explanation ends, also of an error that causes itself", () => {
  const error = new Error("a");
  error.cause = error;
  assert.equal(explain(error), "a");
  let chain = new Error("0");
  for (let i = 1; i < 10; i++) chain = new Error(String(i), { cause: chain });
  assert.equal(explain(chain), "9: 8: 7: 6: 5");
});

Deno.test("the system's name of an error", () => {
  const coded = Object.assign(new Error("too many open files"), { code: "EMFILE" });
  assert.equal(systemCode(coded), "EMFILE");
  assert.equal(systemCode(new Deno.errors.AddrInUse("x")), "AddrInUse");
  assert.equal(systemCode("EMFILE"), undefined);
  assert(isDescriptorExhaustion(coded));
  assert(isDescriptorExhaustion(Object.assign(new Error("x"), { code: "ENFILE" })));
  assert(!isDescriptorExhaustion(new Deno.errors.AddrInUse("x")));
});
