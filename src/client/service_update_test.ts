import assert from "node:assert/strict";
import {
  answering,
  type Link,
  offering,
  OTHER_TOKEN,
  refuse,
} from "../../tests/support/client_service.ts";
import type { Connect } from "../../tests/support/contexts.ts";
import { turn, until } from "../../tests/support/turns.ts";
import { encodeControlCommand, encodeDataCommand } from "../protocol/messages.ts";
import type { Route } from "./route.ts";

const hang: Connect = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Answers the first attempt in one way, the second in another, ... and the rest in the last. */
function inTurn(...answers: [Connect, ...Connect[]]): Connect {
  return (options, attempt) =>
    (answers[attempt - 1] ?? answers.at(-1) ?? answers[0])(options, attempt);
}

/** A service that is established, and what happens to its next attempts. */
async function established(...then: Connect[]) {
  const control: Link[] = [];
  const data: Link[] = [];
  const welcome = answering({ control, data });
  const o = offering(inTurn(welcome, ...then, welcome));
  await until(() => control.length === 1 && o.service.state === "established", "the channel");
  const [first] = control;
  assert.ok(first);
  return { o, control, data, first };
}

/** Lets everything happen that is about to. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn();
}

Deno.test("what waits is tried at once when its token or its retries change, and not otherwise", async () => {
  const changes = [OTHER_TOKEN, { retry_interval: 7 }, { max_retries: 9 }];
  for (const change of changes) {
    await using o = offering(refuse);
    await until(() => o.service.state === "waiting", "the refusal");
    o.update({ local_addr: "127.0.0.1:2", nodelay: false });
    await turn();
    assert.equal(o.client.attempts, 1);
    o.update(change);
    await until(() => o.client.attempts === 2, "another attempt");
    await until(() => o.service.state === "waiting", "the refusal");
    // One loop goes on, not two.
    await o.client.clock.advance(700);
    assert.equal(o.client.attempts, 3);
  }
});

Deno.test("what has given up is tried again by any change, also one of no key of its own", async () => {
  for (const anew of [false, true]) {
    await using o = offering(refuse, { max_retries: 1 });
    await o.client.clock.advance(1_000);
    assert.equal(o.service.state, "gave-up");
    assert.equal(o.gaveUp(), 1);
    o.update(anew ? {} : { local_addr: "127.0.0.1:2" }, anew);
    await until(() => o.client.attempts === 3, "another attempt");
    await o.client.clock.advance(1_000);
    assert.equal(o.client.attempts, 4);
    assert.equal(o.gaveUp(), 2);
    o.update({}, false);
    await turn();
    assert.equal(o.client.attempts, 4);
  }
});

Deno.test("retries change under an established channel for when it is lost", async () => {
  const control: Link[] = [];
  const welcome = answering({ control, data: [] });
  await using o = offering(inTurn(refuse, refuse, welcome, refuse));
  while (o.client.attempts < 3) await o.client.clock.advance(100);
  await until(() => control.length === 1 && o.service.state === "established", "the channel");
  o.update({ max_retries: 2, retry_interval: 0.2 });
  await turn();
  assert.equal(o.client.attempts, 3);
  // It did not last, yet the failures and waits from before the change do not count.
  control[0]?.server.abort();
  await until(() => o.service.state === "waiting", "the loss");
  await o.client.clock.advance(500);
  assert.equal(o.service.state, "gave-up");
  assert.equal(o.client.attempts, 5);
  assert.match(o.client.events.of("gave-up")[0]?.reason ?? "", /after max_retries = 2/);
});

Deno.test("a control channel with another token is there before the old one ends", async () => {
  let admit = () => {};
  const gate = new Promise<void>((resolve) => admit = resolve);
  const { o, control, first } = await established(async (options, attempt) => {
    await gate;
    return await answering({ control, data: [] })(options, attempt);
  });
  await using _ = o;
  o.update(OTHER_TOKEN);
  await settle();
  assert.equal(first.client.aborted, false);
  assert.equal(o.service.state, "established");
  admit();
  await until(() => control.length === 2, "the new channel");
  assert.equal(first.client.aborted, true);
  assert.equal(o.service.state, "established");
  assert.deepEqual(o.client.events.types, Array(2).fill("control-channel-established"));
});

Deno.test("an attempt that an update overtakes is ended, and the session before both serves", async () => {
  let aborted = 0;
  const counted: Connect = (options, attempt) => {
    options.signal.addEventListener("abort", () => aborted++);
    return hang(options, attempt);
  };
  const { o, control, first } = await established(counted, counted);
  await using _ = o;
  for (let i = 0; i < 3; i++) {
    o.update({}, true);
    await turn();
    assert.equal(aborted, Math.min(i, 2));
    if (i < 2) assert.equal(first.client.aborted, false);
  }
  await until(() => control.length === 2, "the new channel");
  assert.equal(o.client.attempts, 4);
  assert.deepEqual(o.client.events.types, Array(2).fill("control-channel-established"));
});

Deno.test("while the new one fails the old one serves, and the failures say so", async () => {
  const { o, first } = await established(refuse);
  await using _ = o;
  o.update({ ...OTHER_TOKEN, max_retries: 1 });
  const { events } = o.client;
  await until(() => events.of("control-channel-failed").length === 1, "the failure");
  assert.equal(
    events.of("control-channel-failed")[0]?.reason,
    "refused; the control channel from before the update serves on",
  );
  assert.equal(o.service.lastError, "refused");
  await settle();
  assert.equal(o.service.state, "established");
  assert.equal(first.client.aborted, false);
});

Deno.test("a new one that gives up leaves the old one be; when that is lost it is tried again", async () => {
  const { o, first } = await established(refuse, refuse, refuse, refuse);
  await using _ = o;
  o.update({ ...OTHER_TOKEN, max_retries: 1 });
  await o.client.clock.advance(1_000);
  const { events } = o.client;
  assert.match(events.of("gave-up")[0]?.reason ?? "", /serves on$/);
  assert.equal(o.service.state, "established");
  assert.equal(first.client.aborted, false);
  first.server.abort();
  await until(() => o.client.attempts === 4, "another attempt");
  assert.equal(events.of("control-channel-lost")[0]?.retryIn, 0);
  await o.client.clock.advance(1_000);
  assert.equal(o.service.state, "gave-up");
  assert.equal(o.client.attempts, 5);
});

Deno.test("a server that ends the old one as it lets the new one in has not lost it", async () => {
  for (const admitted of [true, false]) {
    let answer = () => {};
    const gate = new Promise<void>((resolve) => answer = resolve);
    const { o, control, first } = await established(async (options, attempt) => {
      await gate;
      return await (admitted ? answering({ control, data: [] }) : refuse)(options, attempt);
    });
    await using _ = o;
    o.update(OTHER_TOKEN);
    first.server.abort();
    await until(() => o.service.state === "connecting", "the old one's end");
    await settle();
    assert.deepEqual(o.client.events.types, ["control-channel-established"]);
    answer();
    await until(() => control.length === 2 && o.service.state === "established", "the new one");
    await turn();
    const between = admitted ? [] : ["control-channel-failed", "control-channel-lost"];
    assert.deepEqual(o.client.events.types, [
      "control-channel-established",
      ...between,
      "control-channel-established",
    ]);
  }
});

Deno.test("a service that is removed ends without a word, whatever it was at", async () => {
  for (const then of [[], [hang], [refuse]]) {
    const { o, first } = await established(...then);
    await using _ = o;
    if (then.length > 0) o.update(OTHER_TOKEN);
    await settle();
    const before = o.client.events.types.length;
    o.service.remove();
    assert.equal(first.client.aborted, true);
    await until(() => o.offered().state === "fulfilled", "the end");
    assert.equal(o.client.events.types.length, before);
    assert.equal(o.gaveUp(), 0);
  }
});

Deno.test("data channels take the way of their session, and wait 2 s for a visitor after it", async () => {
  const { o, control, data, first } = await established();
  await using _ = o;
  const dialled: string[] = [];
  const { config, route } = o.client.current;
  const { transport } = route;
  const moved: Route = {
    server: { hostname: "192.0.2.2", port: 1 },
    transport: {
      bind: transport.bind,
      connect: (to, options) => {
        dialled.push(to.hostname);
        return transport.connect(to, options);
      },
    },
  };
  o.client.current = { config, route: moved };
  for (let count = 1; count <= 2; count++) {
    await first.server.write(encodeControlCommand("create-data-channel"));
    await until(() => data.length === count, "a data channel");
  }
  assert.deepEqual(dialled, []);
  o.update({}, true);
  await until(() => control.length === 2 && first.client.aborted, "the new session");
  assert.deepEqual(dialled, ["192.0.2.2"]);

  const [used, unused] = data;
  assert.ok(used && unused);
  await o.client.clock.advance(1_900);
  assert.deepEqual([used.client.aborted, unused.client.aborted], [false, false]);
  await used.server.write(encodeDataCommand("forward-tcp"));
  const { counters } = o.service;
  await until(() => counters.visitors + counters.visitorsFailed === 1, "the visitor");
  await o.client.clock.advance(200);
  assert.equal(unused.client.aborted, true);
});
