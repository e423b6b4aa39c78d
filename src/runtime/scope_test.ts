import assert from "node:assert/strict";
import { follow, turn } from "../../tests/support/turns.ts";
import { Scope } from "./scope.ts";

const failOnFault = (error: unknown) => {
  throw error;
};

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));

Deno.test("leaving a scope aborts its tasks and its children's and joins them all", async () => {
  const order: string[] = [];
  {
    await using scope = new Scope(failOnFault);
    const child = scope.child();
    scope.run(async (signal) => {
      await untilAborted(signal);
      order.push("task");
    });
    child.run(async (signal) => {
      await untilAborted(signal);
      await turn();
      order.push("child");
    });
    const grandchild = child.child();
    grandchild.run(async (signal) => {
      await untilAborted(signal);
      for (let i = 0; i < 3; i++) await turn();
      order.push("grandchild");
    });
  }
  assert.deepEqual(order, ["task", "child", "grandchild"]);
});

Deno.test("a child that is left does not disturb its parent", async () => {
  await using scope = new Scope(failOnFault);
  {
    await using _child = scope.child();
  }
  assert.equal(scope.aborted, false);
});

Deno.test("an error that escapes a task reaches onFault and ends nothing else", async () => {
  const faults: unknown[] = [];
  await using scope = new Scope((error) => faults.push(error));
  const fault = new Error("escaped");
  scope.run(() => Promise.reject(fault));
  await scope.join();
  assert.deepEqual(faults, [fault]);
  assert.equal(scope.aborted, false);
});

Deno.test("what was handed over is ended once, unless it was taken back; at once when too late", () => {
  const scope = new Scope(failOnFault);
  const ended: string[] = [];
  scope.onAbort(() => ended.push("kept"));
  const takeBack = scope.onAbort(() => ended.push("taken back"));
  takeBack();
  scope.abort("why");
  scope.abort("again");
  scope.onAbort((reason) => ended.push(`late: ${reason}`));
  assert.deepEqual(ended, ["kept", "late: why"]);
});

Deno.test("a task offered to a scope that was left is not started", async () => {
  const scope = new Scope(failOnFault);
  scope.abort();
  let started = false;
  scope.run(() => {
    started = true;
    return Promise.resolve();
  });
  await scope.join();
  assert.equal(started, false);
});

Deno.test("a child that was left is waited for until its last task has ended", async () => {
  await using scope = new Scope(failOnFault);
  const child = scope.child();
  const { promise, resolve } = Promise.withResolvers<void>();
  child.run(() => promise);
  child.abort();
  const joined = follow(scope.join());
  await turn();
  assert.equal(joined().state, "pending");
  resolve();
  await turn();
  assert.equal(joined().state, "fulfilled");
});

Deno.test("a child of a scope that was left is left from the start", () => {
  const scope = new Scope(failOnFault);
  scope.abort("why");
  const child = scope.child();
  assert.equal(child.aborted, true);
  assert.equal(child.signal.reason, "why");
});

Deno.test("a task that starts another while being joined is joined with it", async () => {
  await using scope = new Scope(failOnFault);
  let ended = false;
  scope.run(async () => {
    await turn();
    scope.run(async () => {
      await turn();
      ended = true;
    });
  });
  await scope.join();
  assert.equal(ended, true);
  assert.equal(scope.size, 0);
});
