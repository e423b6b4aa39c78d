import assert from "node:assert/strict";
import fc from "fast-check";
import type { Address } from "../runtime/address.ts";
import { explain } from "../runtime/errors.ts";
import { Admission, type Ticket } from "./admission.ts";

const A = { hostname: "192.0.2.1", port: 1 };
const B = { hostname: "192.0.2.2", port: 1 };

function admission(
  most: { connections?: number; pending?: number; perIp?: number },
  expected: ReadonlyMap<string, number> = new Map(),
) {
  return new Admission({
    max_connections: most.connections ?? 100,
    max_pending_handshakes: most.pending ?? 100,
    max_pending_handshakes_per_ip: most.perIp ?? 100,
  }, {
    total: () => [...expected.values()].reduce((sum, n) => sum + n, 0),
    from: (hostname) => expected.get(hostname) ?? 0,
  });
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
  admitted(gate.admitVisitor());
  const second = client(gate, A);
  assert.equal(gate.admitClient(A, noEnd), "max_connections = 2 reached");
  assert.equal(gate.admitVisitor(), "max_connections = 2 reached");
  second.settle();
  assert.equal(gate.admitVisitor(), "max_connections = 2 reached");
  second.leave();
  admitted(gate.admitVisitor());
});

Deno.test("visitors leave an eighth of the connections to clients", () => {
  const gate = admission({ connections: 16 });
  for (let i = 0; i < 14; i++) admitted(gate.admitVisitor());
  assert.equal(gate.admitVisitor(), "max_connections = 16 reached");
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
        const ticket = gate.admitVisitor();
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
