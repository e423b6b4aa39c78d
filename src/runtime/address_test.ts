import assert from "node:assert/strict";
import fc from "fast-check";
import {
  asciiHost,
  formatAddress,
  formatIp,
  isAddress,
  isLoopback,
  parseAddress,
  parseIp,
} from "./address.ts";

Deno.test("addresses are host:port, IPv6 in brackets", () => {
  for (
    const [text, hostname, port] of [
      ["127.0.0.1:2333", "127.0.0.1", 2333],
      ["example.com:0", "example.com", 0],
      ["example.com:65535", "example.com", 65535],
      ["[::1]:22", "::1", 22],
      ["[::ffff:1.2.3.4]:22", "::ffff:1.2.3.4", 22],
      ["[fe80::1%eth0]:22", "fe80::1%eth0", 22],
      ["a_b-c.d:00080", "a_b-c.d", 80],
    ] as const
  ) assert.deepEqual(parseAddress(text), { hostname, port }, text);
});

Deno.test("texts that are no address, and why", () => {
  for (
    const [text, problem] of [
      ["", "has no port"],
      ["localhost", "has no port"],
      ["localhost:", "has no port"],
      ["[::1]", "has no port"],
      ["::", "has no port"],
      ["fe80::abcd", "has no port"],
      ["localhost:ssh", "has no valid port"],
      ["localhost:-1", "has no valid port"],
      ["[::1]:x", "has no valid port"],
      ["localhost:65536", "has a port above 65535"],
      ["localhost:1000000", "has a port above 65535"],
      [":22", "has no host"],
      ["[]:22", "has no host"],
      ["[::1:22", "has a bracket out of place"],
      ["ho[st:22", "has a bracket out of place"],
      ["[127.0.0.1]:22", "has no IPv6 address in its brackets"],
      ["::1:22", "is IPv6 without brackets; write [address]:port"],
      ["1.2.3.4:5:6", "has more than one colon"],
      ["host:5:6", "has more than one colon"],
      ["tcp://host:22", "has a / in it"],
      ["host:22/", "has a / in it"],
      [" host:22", "has a space in it"],
      ["host:22\n", "has a space in it"],
    ] as const
  ) assert.deepEqual(parseAddress(text), { problem }, text);
});

Deno.test("loopback", () => {
  for (const host of ["localhost", "127.0.0.1", "127.255.0.3", "::1", "0:0:0:0:0:0:0:1"]) {
    assert(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "128.0.0.1", "::", "::2", "1::1", "localhost.example"]) {
    assert(!isLoopback(host), host);
  }
});

Deno.test("IP addresses in the form of RFC 5952", () => {
  for (
    const [text, formatted] of [
      ["1.2.3.4", "1.2.3.4"],
      ["0:0:0:0:0:0:0:0", "::"],
      ["::1", "::1"],
      ["1::", "1::"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
      ["::ffff:102:304", "::ffff:1.2.3.4"],
      ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ] as const
  ) assert.equal(formatIp(parseIp(text) ?? assert.fail(text)), formatted, text);
});

Deno.test("texts that are no IP address", () => {
  for (
    const text of [
      ...[
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.04",
        "1.2.3.-4",
        "1.2.3.4 ",
        "0x1.2.3.4",
      ],
      ...[":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3"],
      ...["1:2:3:4:5:6:7:8::", "::1.2.3.4:5", "1.2.3.4::", "fe80::1%eth0", "[::1]"],
    ]
  ) assert.equal(parseIp(text), null, text);
});

const ip = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Many zeros, so that the runs of them are of every length and place.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map((bytes) => Uint8Array.from(bytes)),
);

Deno.test("property: any IP address comes back from its text", () => {
  fc.assert(fc.property(ip, (bytes) => {
    assert.deepEqual(parseIp(formatIp(bytes)), bytes);
  }));
});

Deno.test("property: the text of an IP address is what URLs make of it", () => {
  fc.assert(fc.property(ip, (bytes) => {
    const text = formatIp(bytes);
    if (text.startsWith("::ffff:") && text.includes(".")) return; // URLs write that in hex
    const host = bytes.length === 4 ? text : `[${text}]`;
    assert.equal(new URL(`http://${host}/`).hostname, host);
  }));
});

Deno.test("property: any address comes back from its text", () => {
  const hostname = fc.oneof(fc.domain(), ip.map(formatIp));
  fc.assert(fc.property(hostname, fc.nat(65535), (hostname, port) => {
    assert.deepEqual(parseAddress(formatAddress({ hostname, port })), { hostname, port });
  }));
});

Deno.test("property: no text makes the parsers fail, and what they take they write back", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.:a-f[\]%]{0,30}$/));
  fc.assert(fc.property(text, (text) => {
    const bytes = parseIp(text);
    if (bytes !== null) assert.deepEqual(parseIp(formatIp(bytes)), bytes);
    const address = parseAddress(text);
    if (isAddress(address)) assert.deepEqual(parseAddress(formatAddress(address)), address);
    else assert(address.problem.length > 0);
  }));
});

Deno.test("a host name in ASCII", () => {
  const cases = [
    ["Example.COM", "example.com"],
    ["my_box", "my_box"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["bücher.example:443", null],
    ["ü/x", null],
    ["ü@x", null],
    ["two words", null],
    ["line\n", null],
    ["", null],
  ] as const;
  for (const [text, expected] of cases) assert.equal(asciiHost(text), expected, text);
});
