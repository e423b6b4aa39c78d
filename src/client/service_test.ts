import assert from "node:assert/strict";
import { offering, refuse, welcoming } from "../../tests/support/client_service.ts";
import type { Connect } from "../../tests/support/contexts.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { turn, until } from "../../tests/support/turns.ts";
import { RatholeError } from "../runtime/errors.ts";

const waits = (o: ReturnType<typeof offering>) =>
  o.client.events.all.flatMap((event) => "retryIn" in event ? [event.retryIn] : []);

function about(wait: number | undefined, expected: number): void {
  assert.ok(
    wait !== undefined && wait >= expected * 0.8 && wait <= expected * 1.2,
    `${wait} instead of about ${expected}`,
  );
}

Deno.test("failures are told with when it is tried again, ever longer up to retry_interval", async () => {
  await using o = offering(refuse);
  await o.client.clock.advance(60_000);
  const [first, second, third, fourth, fifth] = waits(o);
  about(first, 500);
  about(second, 1_500);
  about(third, 4_500);
  for (const wait of [fourth, fifth]) {
    assert.ok(wait !== undefined && wait >= 8_000 && wait <= 10_000, `${wait}`);
  }
  assert.equal(o.service.state, "waiting");
  assert.equal(o.service.lastError, "refused");
  assert.deepEqual([...new Set(o.client.events.types)], ["control-channel-failed"]);
});

Deno.test("it gives up after max_retries retries and says so", async () => {
  await using o = offering(refuse, { max_retries: 2 });
  await o.client.clock.advance(60_000);
  assert.equal(o.client.attempts, 3);
  assert.equal(o.service.state, "gave-up");
  assert.equal(o.offered().state, "fulfilled");
  assert.deepEqual(o.client.events.types, [
    "control-channel-failed",
    "control-channel-failed",
    "gave-up",
  ]);
  assert.deepEqual(o.client.events.of("gave-up")[0]?.reason, "after max_retries = 2: refused");
});

Deno.test("it gives up at once on what trying cannot help, and tries on at what may change", async () => {
  await using denied = offering(() => Promise.reject(new RatholeError("permission", "denied")));
  await until(() => denied.offered().state === "fulfilled", "giving up");
  assert.deepEqual(denied.client.events.of("gave-up").map(({ reason }) => reason), ["denied"]);
  for (
    const [ack, reason] of [["auth-failed", /refused the token/], [
      "service-unknown",
      /does not know/,
    ]] as const
  ) {
    await using o = offering(welcoming([], ack));
    await until(() => o.service.state === "waiting", "the refusal");
    assert.match(o.service.lastError ?? "", reason);
  }
});

Deno.test("an established channel is told, and its loss with why and when", async () => {
  const ends: MemoryConnection[] = [];
  await using o = offering(welcoming(ends));
  await until(() => o.service.state === "established", "the channel");
  await until(() => ends.length === 1, "the server's end");
  ends[0]?.abort();
  await until(() => o.service.state === "waiting", "the loss");
  assert.deepEqual(o.client.events.types, ["control-channel-established", "control-channel-lost"]);
  assert.equal(
    o.client.events.of("control-channel-lost")[0]?.reason,
    "the peer closed the connection: the server stopped or was reconfigured, or another " +
      "client took the service over",
  );
});

Deno.test("a session of 3 s was a success: waits and counts start over; a shorter one was not", async () => {
  for (const lasted of [3_000, 2_000]) {
    const ends: MemoryConnection[] = [];
    const welcome = welcoming(ends);
    await using o = offering(
      (options, attempt) => attempt <= 2 ? refuse(options, attempt) : welcome(options, attempt),
      { max_retries: 3 },
    );
    // Advances just far enough for the third attempt, so that the session's length is known.
    while (o.client.attempts < 3) await o.client.clock.advance(100);
    await until(() => o.service.state === "established", "the channel");
    await until(() => ends.length === 1, "the server's end");
    await o.client.clock.advance(lasted);
    ends[0]?.abort();
    await until(() => o.service.state === "waiting", "the loss");
    about(waits(o).at(-1), lasted === 3_000 ? 500 : 4_500);
  }
});

Deno.test("a server that says nothing is given up after 15 s", async () => {
  const connections: MemoryConnection[] = [];
  await using o = offering(() => {
    const [, connection] = memoryPair();
    connections.push(connection);
    return Promise.resolve(connection);
  });
  await o.client.clock.advance(15_000);
  await until(() => o.service.state === "waiting", "giving up");
  assert.equal(o.service.lastError, "connecting to the server took more than 15 s");
  assert.ok(connections[0]?.aborted);
});

Deno.test("a stop ends it wherever it is, without a word", async () => {
  const hang: Connect = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const mute: Connect = () => Promise.resolve(memoryPair()[1]);
  for (const connect of [hang, mute, welcoming([])]) {
    await using o = offering(connect);
    for (let i = 0; i < 5; i++) await turn();
    const before = o.client.events.types.length;
    o.client.context.intake.abort(new RatholeError("aborted", "the client is stopping"));
    await until(() => o.offered().state === "fulfilled", "the end");
    assert.equal(o.client.events.types.length, before);
  }
});

Deno.test("a stop in the very moment the connection is there ends it as well", async () => {
  const [, connection] = memoryPair();
  await using o = offering(() =>
    Promise.resolve().then(() => {
      o.client.context.intake.abort(new RatholeError("aborted", "the client is stopping"));
      return connection;
    })
  );
  await until(() => o.offered().state === "fulfilled", "the end");
  assert.ok(connection.aborted);
});
