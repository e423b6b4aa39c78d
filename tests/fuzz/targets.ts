/**
 * Everything that is fuzzed.
 *
 * @module
 */

import type { MakeTarget } from "./engine/target.ts";
import { carrierFrames } from "./targets/carrier_frames.ts";
import { carrierStreams } from "./targets/carrier_streams.ts";
import { authorities, pemFiles, pkcs12Files } from "./targets/certificates.ts";
import { configFiles } from "./targets/config.ts";
import { hostileClients } from "./targets/hostile_clients.ts";
import { hostileServers } from "./targets/hostile_servers.ts";
import { noiseFrames, noiseHandshakes } from "./targets/noise.ts";
import { extensionFrames, messages, udpFrames } from "./targets/protocol.ts";
import { httpProxies, socksProxies } from "./targets/proxies.ts";
import { addresses, commandLines, logFilters, values } from "./targets/text.ts";
import {
  forwardedHeaders,
  upgradeReplies,
  upgradeRequests,
  websocketFrames,
} from "./targets/websocket.ts";

/** All targets by name. */
export const TARGETS: ReadonlyMap<string, MakeTarget> = new Map<string, MakeTarget>([
  ["messages", messages],
  ["extension-frames", extensionFrames],
  ["udp-frames", udpFrames],
  ["websocket-frames", websocketFrames],
  ["upgrade-requests", upgradeRequests],
  ["upgrade-replies", upgradeReplies],
  ["forwarded-headers", forwardedHeaders],
  ["http-proxies", httpProxies],
  ["socks-proxies", socksProxies],
  ["carrier-frames", carrierFrames],
  ["carrier-streams", carrierStreams],
  ["noise-handshakes", noiseHandshakes],
  ["noise-frames", noiseFrames],
  ["pem-files", pemFiles],
  ["pkcs12-files", pkcs12Files],
  ["authorities", authorities],
  ["addresses", addresses],
  ["values", values],
  ["log-filters", logFilters],
  ["command-lines", commandLines],
  ["config-files", configFiles],
  ["hostile-clients", hostileClients],
  ["hostile-servers", hostileServers],
]);
