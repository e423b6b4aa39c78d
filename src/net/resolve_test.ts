import assert from "node:assert/strict";
import { follow, turn } from "../../tests/support/turns.ts";
import { parseIp } from "../runtime/address.ts";
import { asReplied, resolveHost } from "./resolve.ts";

const forever = new AbortController().signal;

Deno.test("an IP address is its own answer, without a look-up", async () => {
  for (const hostname of ["192.0.2.1", "2001:db8::1", "::ffff:1.2.3.4"]) {
    const address = { hostname, port: 53 };
    assert.equal(await resolveHost(address, forever), address);
    assert.equal(await resolveHost(address, forever, "ipv6"), address);
  }
});

Deno.test("a name becomes an address with the same port", async () => {
  for (const family of ["any", "ipv6"] as const) {
    const { hostname, port } = await resolveHost(
      { hostname: "localhost", port: 53 },
      forever,
      family,
    );
    assert.ok(parseIp(hostname) !== null, hostname);
    assert.equal(port, 53);
  }
});

Deno.test("a name without an address is a `resolve` error that names it", async () => {
  const address = { hostname: "no-such-host.invalid", port: 53 };
  await assert.rejects(resolveHost(address, forever), {
    code: "resolve",
    message: 'cannot find an address for the host name "no-such-host.invalid"',
  });
});

Deno.test("nobody waits for a look-up that is not wanted any more", async () => {
  const reason = new Error("stopping");
  const address = { hostname: "localhost", port: 53 };
  await assert.rejects(resolveHost(address, AbortSignal.abort(reason)), reason);
});

Deno.test({
  name: "an abort ends it before the system has answered",
  // The look-up itself goes on until the system answers.
  sanitizeOps: false,
  fn: async () => {
    const controller = new AbortController();
    const looking = follow(resolveHost({ hostname: "localhost", port: 1 }, controller.signal));
    // Once the resolver's module is there, and before the system can have answered.
    await import("node:dns/promises");
    const reason = new Error("stopping");
    controller.abort(reason);
    await turn();
    assert.deepEqual(looking(), { state: "rejected", reason });
  },
});

Deno.test("an address is compared the way it stands on replies", () => {
  const forms = [
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0::0001", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ];
  for (const [written = "", expected] of forms) {
    assert.deepEqual(asReplied({ hostname: written, port: 9 }), { hostname: expected, port: 9 });
  }
});
