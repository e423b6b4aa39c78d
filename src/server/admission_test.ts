import assert from "node:assert/strict";
import fc from "fast-check";
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

Deno.test("a limit refuses with its own name, and one that leaves makes room", () => {
  const inAll = admission({ connections: 2 });
  admitted(inAll.admitVisitor());
  const second = admitted(inAll.admitClient(A));
  assert.equal(inAll.admitClient(A), "max_connections = 2 reached");
  assert.equal(inAll.admitVisitor(), "max_connections = 2 reached");
  second.settle();
  assert.equal(inAll.admitVisitor(), "max_connections = 2 reached");
  second.leave();
  admitted(inAll.admitVisitor());

  const pending = admission({ pending: 1 });
  const first = admitted(pending.admitClient(A));
  assert.equal(pending.admitClient(B), "max_pending_handshakes = 1 reached");
  admitted(pending.admitVisitor());
  first.settle();
  admitted(pending.admitClient(B));

  const perIp = admission({ perIp: 1 });
  const here = admitted(perIp.admitClient(A));
  assert.equal(
    perIp.admitClient({ ...A, port: 2 }),
    "max_pending_handshakes_per_ip = 1 reached",
  );
  admitted(perIp.admitClient(B));
  here.leave();
  admitted(perIp.admitClient(A));
});

Deno.test("channels that the server asked for come on top, those of one client for itself only", () => {
  const expected = new Map([[A.hostname, 2]]);
  const gate = admission({ pending: 2, perIp: 1 }, expected);
  for (let i = 0; i < 3; i++) admitted(gate.admitClient(A));
  assert.equal(gate.admitClient(A), "max_pending_handshakes_per_ip = 1 reached");
  admitted(gate.admitClient(B));
  assert.equal(gate.admitClient(B), "max_pending_handshakes = 2 reached");
  expected.set(A.hostname, 5);
  assert.equal(gate.admitClient(B), "max_pending_handshakes_per_ip = 1 reached");
  admitted(gate.admitClient(A));
});

Deno.test("expectations do not lift the limit of connections", () => {
  const gate = admission({ connections: 1 }, new Map([[A.hostname, 9]]));
  admitted(gate.admitClient(A));
  assert.equal(gate.admitClient(A), "max_connections = 1 reached");
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
        const ticket = gate.admitClient(at);
        if (typeof ticket !== "string") {
          tickets.push({ ticket, client: at.hostname, pending: true, present: true });
        }
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
