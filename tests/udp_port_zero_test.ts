/**
 * A datagram from source port 0, which nobody can answer, must not harm the service. Sending one
 * takes a raw socket, so Python and root.
 *
 * Permissions: --allow-net --allow-run=python3
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { bytesOf, textOf } from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { tunnelTo } from "./support/tunnel.ts";

const SEND = `
import socket, struct, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
if len(sys.argv) > 1:
    payload = b"from port 0"
    header = struct.pack("!HHHH", 0, int(sys.argv[1]), 8 + len(payload), 0)
    raw.sendto(header + payload, ("127.0.0.1", 0))
`;

async function python(...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command("python3", { args: ["-c", SEND, ...args], stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

const possible = await python();
const suffix = possible ? "" : " (not run: no raw sockets here, they need python3 and root)";
/** Which sockets the server uses depends on what it may do. */
const WAYS = { "Deno.listenDatagram": "inherit", "node:dgram": ["127.0.0.1"] } as const;

for (const [way, net] of Object.entries(WAYS)) {
  Deno.test({
    name: `a visitor at source port 0 is survived by ${way}${suffix}`,
    ignore: !possible,
    permissions: { net: typeof net === "string" ? net : [...net], run: "inherit" },
    fn: surviveVisitorAtPortZero,
  });
}

async function surviveVisitorAtPortZero(): Promise<void> {
  await using local = await udpEcho();
  await using tunnel = await tunnelTo(local.address, { service: { type: "udp" } });
  await using visitor = await udpSocket();
  await askDatagram(visitor, bytesOf("before"), tunnel.door);
  while (visitor.waiting.length > 0) await visitor.next();
  equal(await python(String(tunnel.door.port)), true);
  await eventually(
    "the reply to be dropped",
    () => tunnel.server.service().datagramsDropped + tunnel.client.service().datagramsDropped,
    (n) => n >= 1,
  );
  equal(textOf(await askDatagram(visitor, bytesOf("after"), tunnel.door)), "after");
  equal(tunnel.server.events.all("control-channel-lost").length, 0);
}
