import assert from "node:assert/strict";
import { type Network, parseNetwork } from "../runtime/network.ts";
import { forwardedPeer } from "./forwarded.ts";

const trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map((text): Network =>
  parseNetwork(text) ?? assert.fail(text)
);

Deno.test("the client is the last address that is no trusted proxy, told by a trusted one", () => {
  for (
    const [peer, values, expected] of [
      ["127.0.0.1", ["203.0.113.5"], "203.0.113.5:0"],
      ["::ffff:127.0.0.1", ["203.0.113.5"], "203.0.113.5:0"],
      ["fd00::9", ["2001:db8::1"], "2001:db8::1:0"],
      ["127.0.0.1", ["203.0.113.5:4711"], "203.0.113.5:4711"],
      ["127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1:4711"],
      ["127.0.0.1", ["[2001:db8::1]"], "2001:db8::1:0"],
      ["127.0.0.1", ["198.51.100.1, 203.0.113.5 , 10.1.2.3"], "203.0.113.5:0"],
      ["127.0.0.1", ["198.51.100.1", "203.0.113.5", "10.1.2.3"], "203.0.113.5:0"],
      ["127.0.0.1", ["nonsense, 203.0.113.5"], "203.0.113.5:0"],
      ["127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9:0"],
      ["127.0.0.1", ["203.0.113.5, nonsense"], "127.0.0.1:7"],
      ["127.0.0.1", ["203.0.113.5, "], "127.0.0.1:7"],
      ["127.0.0.1", [], "127.0.0.1:7"],
      ["127.0.0.1", ["unknown"], "127.0.0.1:7"],
      ["198.51.100.7", ["203.0.113.5"], "198.51.100.7:7"],
    ] as const
  ) {
    const { hostname, port } = forwardedPeer({ hostname: peer, port: 7 }, values, trusted);
    assert.equal(`${hostname}:${port}`, expected, `${peer} ${values}`);
  }
});
