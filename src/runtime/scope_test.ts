import assert from "node:assert/strict";
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
    scope.run(async () => {
      await child.join();
      order.push("child joined");
    });
    child.run(async (signal) => {
      await untilAborted(signal);
      order.push("child");
    });
  }
  assert.deepEqual(order.toSorted(), ["child", "child joined", "task"]);
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
