/**
 * Every transport through proxies as people run them, to servers of ours and of rathole 0.5.0.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { SCENARIOS, setStage } from "./support/interop_scenarios.ts";
import { type InteropTransport, TRANSPORTS } from "./support/interop_transports.ts";
import { ignore, type Maker, missing, startPair } from "./support/peer.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { PROXIES } from "./support/proxies.ts";

/** One of each kind is enough: the proxy does not see the difference. */
const ROWS = ["tcp", "tls", "noise NK", "websocket", "websocket, tls"];
const SERVERS: readonly Maker[] = ["ours", "rust"];

/**
 * What has to work. The end of one direction is in the bytes over TLS and WebSocket; over TCP and
 * Noise it is the socket's own, which these proxies take for the end of both directions.
 */
function scenarios({ type }: InteropTransport, server: Maker) {
  const names = ["3 MB", "40 visitors at once", "UDP"];
  if (type === "tls" || type === "websocket") names.push("half-close by the visitor");
  if (type === "websocket" && server === "ours") names.push("half-close by the service");
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

for (const program of PROXIES) {
  for (const transport of TRANSPORTS.filter(({ name }) => ROWS.includes(name))) {
    for (const server of SERVERS) {
      const without = server === "rust" ? missing : "";
      const title = `${program.name}: ${transport.name}, server ${server}`;
      Deno.test(`${title}${program.missing}${without}`, {
        ignore: program.ignore || server === "rust" && ignore,
        timeout: 60_000,
      }, async (t) => {
        await using proxy = await program.start(program.user);
        await using settings = await transport.settings();
        await using stage = await setStage();
        const { options } = settings;
        const at = `${program.user.userinfo}@${formatAddress(proxy.address)}`;
        await using pair = await startPair({ server, client: "ours" }, stage.services, {
          ...options,
          client:
            `${options.client}\n[client.transport.tcp]\nproxy = "${program.scheme}://${at}"\n`,
        });
        for (const { name, play } of scenarios(transport, server)) {
          await t.step(name, () => pair.check((door) => play(pair, stage, door)));
        }
      });
    }
  }
}
