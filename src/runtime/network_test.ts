import assert from "node:assert/strict";
import fc from "fast-check";
import { formatIp, parseIp } from "./address.ts";
import { contains, parseNetwork } from "./network.ts";

function isIn(network: string, ip: string): boolean {
  return contains(
    parseNetwork(network) ?? assert.fail(network),
    parseIp(ip) ?? assert.fail(ip),
  );
}

Deno.test("addresses in networks", () => {
  for (
    const [network, ip, expected] of [
      ["10.0.0.0/8", "10.255.0.1", true],
      ["10.0.0.0/8", "11.0.0.0", false],
      ["10.1.2.3/8", "10.9.9.9", true],
      ["192.168.1.128/25", "192.168.1.128", true],
      ["192.168.1.128/25", "192.168.1.127", false],
      ["127.0.0.1", "127.0.0.1", true],
      ["127.0.0.1", "127.0.0.2", false],
      ["0.0.0.0/0", "203.0.113.9", true],
      ["0.0.0.0/0", "::1", false],
      ["::/0", "2001:db8::1", true],
      ["::/0", "::ffff:10.0.0.1", false],
      ["fe80::/10", "febf::1", true],
      ["fe80::/10", "fec0::1", false],
      ["2001:db8::/32", "2001:db8:1::", true],
      ["::1", "::1", true],
      ["10.0.0.0/8", "::ffff:10.0.0.1", true],
      ["::ffff:10.0.0.0/104", "10.7.7.7", true],
      ["::ffff:10.0.0.0/104", "::ffff:11.0.0.0", false],
      ["::ffff:0:0/96", "192.0.2.1", true],
    ] as const
  ) {
    assert.equal(isIn(network, ip), expected, `${ip} in ${network}`);
  }
});

Deno.test("texts that name no network", () => {
  for (
    const text of [
      ...["", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8"],
      ...["10.0.0/8", "::/129", "::1/1e1", "localhost", "example.com/8", "10.0.0.0/255.0.0.0"],
      ...[" 10.0.0.0/8", "10.0.0.0 /8", "[::1]", "fe80::1%eth0"],
    ]
  ) {
    assert.equal(parseNetwork(text), null, text);
  }
});

Deno.test("property: membership is that of the leading bits", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((ip) => ip[0] !== 0),
  );
  fc.assert(fc.property(address, fc.nat(128), fc.nat(127), (ip, prefix, flipped) => {
    const bits = ip.length * 8;
    const length = prefix % (bits + 1);
    const network = parseNetwork(`${formatIp(ip)}/${length}`) ?? assert.fail();
    const bit = flipped % bits;
    const other = ip.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ 0x80 >> (bit & 7);
    // A flip of the first byte may turn an address into one that begins with zeros: still IPv6.
    assert.equal(contains(network, ip), true);
    assert.equal(contains(network, other), bit >= length);
  }));
});
