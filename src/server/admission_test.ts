import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { Address } from "../runtime/address.ts";
import { explain } from "../runtime/errors.ts";
import { Admission, type Ticket } from "./admission.ts";

const A = { hostname: "192.0.2.1", port: 1 };
const B = { hostname: "192.0.2.2", port: 1 };

interface Most {
  readonly connections?: number;
  readonly connectionsPerIp?: number;
  readonly pending?: number;
  readonly perIp?: number;
  readonly rate?: number;
}

function admission(
  most: Most,
  expected: ReadonlyMap<string, number> = new Map(),
  clock = new FakeClock(),
  makeWay = () => {},
) {
  return new Admission(
    () => ({
      max_connections: most.connections ?? 1000,
      max_connections_per_ip: most.connectionsPerIp ?? 1000,
      max_pending_handshakes: most.pending ?? 1000,
      max_pending_handshakes_per_ip: most.perIp ?? 1000,
      max_handshake_rate_per_ip: most.rate ?? 1000,
      max_auth_failures_per_ip: 3,
      max_auth_penalty: 60,
    }),
    {
      total: () => [...expected.values()].reduce((sum, n) => sum + n, 0),
      from: (hostname) => expected.get(hostname) ?? 0,
      knows: (hostname) => expected.has(hostname),
      // Every visitor has a data channel.
      carried: () => 0,
      makeWay,
    },
    clock,
  );
}

function admitted(result: Ticket | string): Ticket {
  assert.ok(typeof result !== "string", `refused: ${result}`);
  return result;
}

/** Lets a client in; `ended` then says why it had to make way, if it had to. */
function client(gate: Admission, at: Address) {
  const seen: { ended?: string } = {};
  const ticket = admitted(gate.admitClient(at, (reason) => seen.ended = explain(reason)));
  return Object.assign(seen, ticket);
}

const noEnd = () => assert.fail("made way");

Deno.test("the limit of connections refuses with its name, and one that leaves makes room", () => {
  const gate = admission({ connections: 2 });
  admitted(gate.admitVisitor(A, noEnd));
  const second = client(gate, A);
  assert.equal(gate.admitClient(A, noEnd), "max_connections = 2 reached");
  assert.equal(gate.admitVisitor(A, noEnd), "max_connections = 2 reached");
  second.settle();
  assert.equal(gate.admitVisitor(A, noEnd), "max_connections = 2 reached");
  second.leave();
  admitted(gate.admitVisitor(A, noEnd));
});

Deno.test("visitors leave an eighth of the connections to clients", () => {
  const gate = admission({ connections: 16 });
  for (let i = 0; i < 14; i++) admitted(gate.admitVisitor(A, noEnd));
  assert.equal(gate.admitVisitor(A, noEnd), "max_connections = 16 reached");
  for (let i = 0; i < 2; i++) client(gate, A);
  assert.equal(gate.admitClient(A, noEnd), "max_connections = 16 reached");
});

Deno.test("where too many handshakes are pending, the oldest makes way for the newcomer", () => {
  const gate = admission({ pending: 3 });
  const [first, second, third] = [client(gate, A), client(gate, B), client(gate, A)];
  second.settle();
  client(gate, B);
  assert.equal(gate.pending, 3);
  assert.equal(first.ended, undefined);
  client(gate, B);
  assert.match(first.ended ?? "", /^made way .* max_pending_handshakes = 3 reached$/);
  client(gate, B);
  assert.match(third.ended ?? "", /made way/);
  assert.equal(second.ended, undefined, "it was settled");
  assert.equal(gate.pending, 3);
  first.settle();
  first.leave();
  assert.equal(gate.pending, 3, "what made way counts no more");
});

Deno.test("one network's share is taken from that network only, an IPv6 one is a /64", () => {
  const gate = admission({ perIp: 1 });
  const bystander = client(gate, B);
  const [here, next] = [client(gate, A), client(gate, { ...A, port: 2 })];
  assert.match(here.ended ?? "", /max_pending_handshakes_per_ip = 1 reached/);
  assert.equal(next.ended, undefined);
  const sixes = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:192.0.2.1"].map(
    (hostname) => client(gate, { hostname, port: 1 }),
  );
  assert.deepEqual(sixes.map(({ ended }) => ended !== undefined), [true, false, false, false]);
  assert.match(next.ended ?? "", /made way/, "IPv4 in IPv6 clothes is IPv4");
  assert.equal(bystander.ended, undefined);
});

Deno.test("channels that the server asked for come on top, those of one client for itself only", () => {
  const expected = new Map([[A.hostname, 2]]);
  const gate = admission({ pending: 2, perIp: 1 }, expected);
  const first = [client(gate, A), client(gate, A), client(gate, A)];
  assert.ok(first.every(({ ended }) => ended === undefined));
  client(gate, A);
  assert.match(first[0]?.ended ?? "", /per_ip = 1 reached/);
  const other = client(gate, B);
  client(gate, B);
  assert.match(other.ended ?? "", /per_ip = 1 reached/);
  expected.set(A.hostname, 5);
  for (let i = 0; i < 3; i++) client(gate, A);
  assert.equal(first[1]?.ended, undefined);
});

Deno.test("expectations do not lift the limit of connections", () => {
  const gate = admission({ connections: 1 }, new Map([[A.hostname, 9]]));
  client(gate, A);
  assert.equal(gate.admitClient(A, noEnd), "max_connections = 1 reached");
});

Deno.test("one network's share of the connections is of visitors and clients together", () => {
  const gate = admission({ connectionsPerIp: 3 });
  const visitor = admitted(gate.admitVisitor(A, noEnd));
  const stranger = client(gate, A);
  client(gate, { ...A, port: 2 });
  const full = "max_connections_per_ip = 3 reached";
  assert.equal(gate.admitVisitor(A, noEnd), full);
  assert.equal(gate.admitClient(A, noEnd), full);
  admitted(gate.admitVisitor(B, noEnd));
  visitor.leave();
  visitor.leave();
  admitted(gate.admitVisitor(A, noEnd));
  assert.equal(gate.admitVisitor(A, noEnd), full);
  stranger.settle();
  assert.equal(gate.admitVisitor(A, noEnd), full, "it is a client now");
});

Deno.test("data channels that were asked for are not of their network's share", () => {
  const expected = new Map([[A.hostname, 1]]);
  const gate = admission({ connectionsPerIp: 2 }, expected);
  for (let i = 0; i < 100; i++) {
    const channel = client(gate, A);
    channel.join();
    channel.join();
    channel.settle();
    if (i % 2 === 0) channel.leave();
  }
  assert.equal(gate.connections, 50);
  client(gate, A);
  client(gate, A);
  client(gate, A);
  assert.equal(gate.admitClient(A, noEnd), "max_connections_per_ip = 2 reached", "one is expected");
  expected.clear();
  assert.equal(gate.admitVisitor(A, noEnd), "max_connections_per_ip = 2 reached");
});

Deno.test("a network begins ten times its rate at once, and its rate in the long run", () => {
  const clock = new FakeClock();
  const gate = admission({ rate: 5 }, undefined, clock);
  const burst = () => {
    for (let count = 0;; count++) {
      assert.ok(count < 1000, "there is no limit");
      const ticket = gate.admitClient(A, noEnd);
      if (typeof ticket === "string") {
        assert.equal(ticket, "max_handshake_rate_per_ip = 5 reached");
        return count;
      }
      ticket.leave();
    }
  };
  assert.equal(burst(), 50);
  client(gate, B);
  clock.tick(1000);
  assert.equal(burst(), 5);
  clock.tick(1e7);
  assert.equal(burst(), 50);
});

Deno.test("a busy client's data channels are never too many a second, a stranger's beside them are", () => {
  const expected = new Map([[A.hostname, 8]]);
  const gate = admission({ rate: 1 }, expected);
  for (let i = 0; i < 1000; i++) {
    const channel = client(gate, A);
    channel.join();
    channel.leave();
  }
  // Ten tokens, and eight in place of those that are expected.
  for (let i = 0; i < 18; i++) client(gate, A);
  assert.match(String(gate.admitClient(A, noEnd)), /max_handshake_rate_per_ip = 1/);
});

Deno.test("who pays a penalty is refused, unless a client of that network is there", () => {
  const expected = new Map<string, number>();
  const gate = admission({}, expected);
  for (let i = 0; i < 3; i++) gate.penalties.failed(A.hostname);
  assert.match(String(gate.admitClient(A, noEnd)), /^clients at this address failed .* 3 times/);
  client(gate, B);
  admitted(gate.admitVisitor(A, noEnd));
  expected.set(A.hostname, 0);
  client(gate, A);
});

Deno.test("out of descriptors the newest visitors and the oldest handshakes make way, once", () => {
  const clock = new FakeClock();
  const gate = admission({}, undefined, clock);
  const ended: (number | string)[] = [];
  const visitor = (i: number) => {
    const ticket = gate.admitVisitor(A, () => ended.push(i));
    // Each has a data channel.
    if (typeof ticket !== "string") client(gate, B).settle();
    return ticket;
  };
  for (let i = 0; i < 80; i++) admitted(visitor(i));
  for (let i = 0; i < 40; i++) admitted(gate.admitClient(A, () => ended.push(`client ${i}`)));
  assert.equal(gate.connections, 200);
  gate.exhausted();
  // An eighth of 200 handshakes, three quarters of 200 for visitors with a channel each.
  assert.deepEqual(ended.slice(0, 15), Array.from({ length: 15 }, (_, i) => `client ${i}`));
  assert.deepEqual(ended.slice(15), [75, 76, 77, 78, 79]);
  assert.match(String(visitor(80)), /no file descriptors left/);
  client(gate, A);
  gate.exhausted();
  assert.equal(ended.length, 21, "one handshake, by the new client");
  clock.tick(60_001);
  admitted(visitor(81));
  assert.deepEqual([gate.pending, ended.length], [25, 21]);
});

Deno.test("out of descriptors, data channels that were asked for do not make way", () => {
  const gate = admission({}, new Map([[B.hostname, 60]]));
  for (let i = 0; i < 60; i++) admitted(gate.admitClient(B, noEnd));
  gate.exhausted();
  assert.equal(gate.pending, 60);
});

Deno.test("whatever is settled and left, and how often, the counts are those of who is there", () => {
  const step = fc.tuple(
    fc.constantFrom("visitor", "clientA", "clientB", "settle", "leave"),
    fc.nat(30),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const gate = admission({ connections: 12, pending: 6, perIp: 4 });
    const tickets: { ticket: Ticket; client?: string; pending: boolean; present: boolean }[] = [];
    for (const [does, which] of steps) {
      const chosen = tickets[which % Math.max(1, tickets.length)];
      if (does === "settle" && chosen?.client !== undefined) {
        chosen.ticket.settle();
        chosen.pending = false;
      } else if (does === "leave" && chosen !== undefined) {
        chosen.ticket.leave();
        chosen.pending = chosen.present = false;
      } else if (does === "visitor") {
        const ticket = gate.admitVisitor(A, noEnd);
        if (typeof ticket !== "string") tickets.push({ ticket, pending: false, present: true });
      } else if (does === "clientA" || does === "clientB") {
        const at = does === "clientA" ? A : B;
        const one = { client: at.hostname, pending: true, present: true };
        const ticket = gate.admitClient(at, () => one.pending = false);
        if (typeof ticket !== "string") tickets.push(Object.assign(one, { ticket }));
      }
      const pending = tickets.filter((t) => t.pending);
      assert.equal(gate.connections, tickets.filter((t) => t.present).length);
      assert.equal(gate.pending, pending.length);
      assert.ok(gate.connections <= 12 && gate.pending <= 6);
      for (const { hostname } of [A, B]) {
        assert.ok(pending.filter((t) => t.client === hostname).length <= 4);
      }
    }
  }));
});

Deno.test("data channels that nobody uses make way before a visitor is refused", () => {
  const reserve: Ticket[] = [];
  const gate = admission(
    { connections: 4 },
    new Map(),
    new FakeClock(),
    () => reserve.pop()?.leave(),
  );
  for (let i = 0; i < 4; i++) reserve.push(client(gate, A));
  admitted(gate.admitVisitor(A, noEnd));
  assert.equal(reserve.length, 3);
});
