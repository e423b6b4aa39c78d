import assert from "node:assert/strict";
import fc from "fast-check";
import { isHost, parseHost } from "./hosts.ts";

Deno.test("names and addresses, in the form that certificates have them", () => {
  for (
    const [text, expected] of [
      ["tunnel.example.com", "dns tunnel.example.com"],
      ["Tunnel.EXAMPLE.com", "dns tunnel.example.com"],
      ["localhost", "dns localhost"],
      ["my_container", "dns my_container"],
      ["*.example.com", "dns *.example.com"],
      ["bücher.example", "dns xn--bcher-kva.example"],
      ["*.bücher.example", "dns *.xn--bcher-kva.example"],
      ["1.example", "dns 1.example"],
      [`${"a".repeat(63)}.example`, `dns ${"a".repeat(63)}.example`],
      ["203.0.113.7", "ip 203.0.113.7"],
      ["::1", "ip ::1"],
      ["[2001:DB8:0::1]", "ip 2001:db8::1"],
    ] as const
  ) {
    const host = parseHost(text);
    assert(isHost(host), text);
    assert.equal(`${host.kind} ${host.text}`, expected);
    if (host.kind === "ip") assert.equal(host.bytes.length, host.text.includes(":") ? 16 : 4);
  }
});

Deno.test("texts that are neither, and what to write instead", () => {
  for (
    const [text, why] of [
      ["https://a.example", /is a URL; write its host only/],
      ["a.example:2333", /has a port; write the host only/],
      ["127.0.0.1:2333", /has a port/],
      ["300.1.1.1", /is no valid IP address/],
      ["10.0.0", /is no valid IP address/],
      ["*", /has a \* elsewhere/],
      ["a.*.example", /has a \* elsewhere/],
      ["*.*.example", /has a \* elsewhere/],
      ["*.example", /is a wildcard that nobody accepts/],
      ["", /is no host name/],
      ["a..b", /is no host name/],
      ["example.com.", /is no host name/],
      ["-a.example", /is no host name/],
      ["a b", /is no host name/],
      ["a/b", /is no host name/],
      ["a\0b", /is no host name/],
      ["ä/b", /is no host name/],
      [`${"a".repeat(64)}.example`, /is no host name/],
      [`${"a.".repeat(127)}aa`, /is no host name/],
      ["[::1", /is no valid IP address/],
      ["2001:db8::12345", /is no valid IP address/],
      ["fe80::1%eth0", /is no valid IP address/],
      ["[::1]:2333", /has a port/],
    ] as const
  ) {
    const host = parseHost(text);
    assert(!isHost(host), text);
    assert.match(host.problem, why, text);
    assert.match(host.problem, /^[^;]+; .+$/);
  }
});

Deno.test("property: whatever the text, a DNS name is of letters, digits, - and _", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const host = parseHost(text);
    if (isHost(host) && host.kind === "dns") {
      assert.match(host.text, /^(?:\*\.)?[a-z\d_-]+(?:\.[a-z\d_-]+)*$/);
      assert.deepEqual(parseHost(host.text), host);
    }
  }));
});
