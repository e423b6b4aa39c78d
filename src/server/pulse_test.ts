import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { validateClientConfig, validateServerConfig } from "../config/validate.ts";
import type { RatholeError } from "../runtime/errors.ts";
import { ChannelPool } from "./pool.ts";
import { Pulse } from "./pulse.ts";

const DAY = 86_400_000;

/** A pulse with a client that answers each request after `delay` milliseconds; null: never. */
function pulseOf(options: { interval?: number; target?: number; delay?: number | null } = {}) {
  const { interval = 30_000, target = 8 } = options;
  const clock = new FakeClock();
  const state = {
    delay: options.delay === undefined ? 50 : options.delay,
    interval,
    asked: 0,
    beats: 0,
    received: 0,
    left: [] as MemoryConnection[],
    end: undefined as RatholeError | undefined,
    endedAt: 0,
  };
  const answer = () => {
    const [near] = memoryPair();
    pool.offer(near, () => state.left.push(near));
  };
  let made: Pulse | undefined;
  const pool: ChannelPool = new ChannelPool({
    reserve: { least: target, most: target },
    limit: 100,
    clock,
    request: (count) => {
      made?.notice();
      state.asked += count;
      if (state.delay === null) return;
      // As many as were asked for, one after the other.
      for (let i = 0; i < count; i++) clock.after(state.delay, answer);
    },
  });
  const pulse = made = new Pulse({
    clock,
    pool,
    interval: () => state.interval,
    received: () => state.received,
    beat: () => void state.beats++,
    end: (reason) => {
      state.end ??= reason;
      state.endedAt = clock.now();
      pulse.cancel();
      pool.close(reason);
    },
  });
  return {
    clock,
    pool,
    pulse,
    state,
    /** Why the client was given up, if it was. */
    ended: (): string | undefined => state.end?.code,
    [Symbol.dispose]() {
      pulse.cancel();
      pool.close(new Error("over"));
    },
  };
}

Deno.test("a client of 0.5.0 is probed after 30 s without a word, and given up 10 s after", () => {
  using p = pulseOf();
  p.clock.tick(30_049);
  assert.equal(p.state.asked, 8);
  p.state.delay = null;
  p.clock.tick(1);
  assert.equal(p.state.asked, 9);
  p.clock.tick(9_999);
  assert.equal(p.ended(), undefined);
  p.clock.tick(1);
  assert.equal(p.ended(), "timeout");
  assert.equal(p.clock.pending, 0);
});

Deno.test("by default, a client of 0.5.0 that stops at any moment is given up within 45 s", () => {
  for (let lived = 0; lived < 100_000; lived += 770) {
    for (const streams of [false, true]) {
      using p = pulseOf();
      for (let now = 0; now < lived; now += 10) {
        if (streams) p.state.received++;
        p.clock.tick(10);
      }
      p.state.delay = null;
      const stopped = p.clock.now();
      p.clock.tick(60_000);
      assert.equal(p.ended(), "timeout");
      // Answers that were on their way still come, up to 50 ms later.
      assert.ok(p.state.endedAt - stopped <= 45_050, `${p.state.endedAt - stopped} ms`);
    }
  }
});

Deno.test("a month of probes of a service without visitors keeps at most 32 channels, closes 144 a day", () => {
  using p = pulseOf();
  p.clock.tick(DAY);
  assert.equal(p.ended(), undefined);
  const { asked, left } = p.state;
  assert.equal(p.pool.idle, 32);
  assert.ok(left.length <= 144, `${left.length} were closed`);
  p.clock.tick(30 * DAY);
  assert.equal(p.pool.idle, 32);
  assert.ok(p.state.asked - asked <= 30 * 144, `${p.state.asked - asked} were asked for`);
  assert.equal(p.ended(), undefined);
});

Deno.test("a client that answers late, one after the other, is not given up; an answer in 9 s will do", () => {
  using p = pulseOf({ delay: 9_000 });
  p.clock.tick(10 * 60_000);
  assert.equal(p.ended(), undefined);
  p.state.delay = 10_001;
  p.clock.tick(45_000);
  assert.equal(p.ended(), "timeout");
});

Deno.test("bytes on a data channel are as good as an answer, as long as they flow", () => {
  using p = pulseOf({ delay: null, target: 0 });
  for (let i = 0; i < 100; i++) {
    p.state.received += 1;
    p.clock.tick(4_000);
    p.pool.take(1_000).catch(() => {});
  }
  assert.equal(p.ended(), undefined);
  const stopped = p.clock.now();
  p.clock.tick(60_000);
  assert.equal(p.ended(), "timeout");
  assert.ok(p.state.endedAt - stopped <= 45_000, `${p.state.endedAt - stopped} ms`);
});

Deno.test("bytes from before a request are no answer to it, whenever they are counted", async () => {
  using p = pulseOf();
  p.clock.tick(62_000);
  p.state.delay = null;
  p.state.received += 1;
  await p.pool.take();
  p.clock.tick(9_999);
  assert.equal(p.ended(), undefined);
  p.clock.tick(1);
  assert.equal(p.ended(), "timeout");
});

Deno.test("a visitor finds out within 10 s, however rare probes have become", async () => {
  using p = pulseOf();
  p.clock.tick(DAY);
  assert.ok(p.pool.full);
  p.state.delay = null;
  await p.pool.take();
  p.clock.tick(9_999);
  assert.equal(p.ended(), undefined);
  p.clock.tick(1);
  assert.equal(p.ended(), "timeout");
});

Deno.test("a client that announced heartbeats owes no answer; its channels never wait 4 minutes", async () => {
  using p = pulseOf({ delay: null });
  p.clock.tick(9_000);
  p.pulse.announced = true;
  p.clock.tick(60_000);
  assert.equal(p.ended(), undefined);
  p.state.delay = 50;
  p.clock.tick(20_000);
  for (let i = 0; i < 40; i++) {
    p.clock.tick(60_000);
    assert.ok(p.pool.idle >= 8 && p.pool.idle <= 9, `${p.pool.idle}`);
  }
  // 8 channels in less than every 4 minutes.
  assert.ok(p.state.left.length >= 80, `${p.state.left.length} were replaced`);
  assert.ok(p.state.left.length <= 8 * 15, `${p.state.left.length} were replaced`);
  await p.pool.take();
  p.clock.tick(1_000);
  assert.equal(p.pool.idle, 8);
});

Deno.test("without heartbeats there are no probes, but who is asked must answer", () => {
  using p = pulseOf({ interval: 0 });
  p.clock.tick(DAY);
  assert.deepEqual([p.state.asked, p.state.beats, p.ended()], [8, 0, undefined]);
  p.state.delay = null;
  p.pool.probe();
  p.clock.tick(15_000);
  assert.equal(p.ended(), "timeout");
});

Deno.test("by default each end of two of ours gives the other up after 40 s, however it falls silent", () => {
  const { heartbeat_interval } = validateServerConfig({
    bind_addr: "127.0.0.1:0",
    default_token: "t",
    services: { it: { bind_addr: "127.0.0.1:0" } },
  });
  const { heartbeat_timeout } = validateClientConfig({
    remote_addr: "127.0.0.1:1",
    default_token: "t",
    services: { it: { local_addr: "127.0.0.1:2" } },
  });
  // The client's patience, and the beats that it waits for: one may be late by so much.
  assert.deepEqual([heartbeat_interval, heartbeat_timeout], [30, 40]);
  // The client announces beats at 3/4 of that, and is given up after 4/3 of what it announced.
  assert.ok(heartbeat_timeout * 3 / 4 * 4 / 3 <= 45);
});

Deno.test("it beats at its interval, whatever happens besides", () => {
  using p = pulseOf({ interval: 7_000 });
  p.clock.tick(70_000);
  assert.equal(p.state.beats, 10);
});
