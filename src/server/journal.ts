/**
 * How a server's events read in the log (target `rathole::server`).
 *
 * @module
 */

import { type Address, formatAddress } from "../runtime/address.ts";
import { Journal } from "../runtime/journal.ts";
import { certificateLine } from "../transport/journal.ts";
import { cheapLogLine, inSeconds, type LogLine, logLine } from "../runtime/log_line.ts";
import type { ServerEvent } from "./events.ts";

/** What every visitor causes. */
const DETAIL: ReadonlySet<ServerEvent["type"]> = new Set(["stream-opened", "stream-closed"]);

/** The journal of a server. */
export type ServerJournal = Journal<ServerEvent>;

/** A journal for one server; `now` in milliseconds. */
export function openServerJournal(now: () => number): ServerJournal {
  return new Journal(["rathole", "server"], now, serverLogLine, DETAIL);
}

/** The log line of an event. */
export function serverLogLine(event: ServerEvent): LogLine {
  switch (event.type) {
    case "listening":
      return logLine("info", "Listening", { addr: formatAddress(event.address) });
    case "control-channel-established":
      return logLine("info", "Control channel established", about(event));
    case "control-channel-lost":
      return event.wanted
        ? logLine("info", "Control channel closed", { ...about(event), reason: event.reason })
        : logLine("warn", "Control channel lost", { ...about(event), reason: event.reason });
    case "carrier-opened":
      return logLine("debug", "Carrier opened", about(event));
    case "carrier-lost": {
      const { reason, streams } = event;
      return streams === 0
        ? logLine("debug", "Carrier closed", { ...about(event), reason })
        : logLine("warn", "Carrier lost", { ...about(event), reason, visitors: streams });
    }
    case "service-listening":
      return logLine("info", "Listening for visitors", {
        service: event.service,
        addr: formatAddress(event.address),
      });
    case "service-closed":
      return logLine("info", "No longer listening for visitors", {
        service: event.service,
        addr: formatAddress(event.address),
      });
    case "service-bind-failed":
      return logLine("error", "Cannot listen for visitors", {
        service: event.service,
        reason: event.reason,
        retry_in: inSeconds(event.retryIn),
      });
    case "visitor-refused":
      return cheapLogLine("warn", "Visitor refused", { ...about(event), reason: event.reason });
    case "stream-opened":
      return logLine("debug", "Visitor connected", about(event));
    case "stream-closed":
      return logLine("debug", "Visitor disconnected", {
        ...about(event),
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      });
    case "handshake-failed":
      return cheapLogLine("warn", "Handshake failed", {
        peer: formatAddress(event.peer),
        reason: event.reason,
      });
    case "connection-refused":
      return cheapLogLine("warn", "Connection refused", {
        peer: formatAddress(event.peer),
        reason: event.reason,
      });
    case "accept-failed":
      return cheapLogLine("error", "Cannot accept connections", {
        addr: formatAddress(event.address),
        reason: event.reason,
      });
    case "accept-recovered":
      return cheapLogLine("info", "Accepting connections again", {
        addr: formatAddress(event.address),
      });
    case "udp-replies-limited":
      return logLine("info", "UDP replies reach only visitors that --allow-net covers");
    case "certificate-renewed":
    case "certificate-refused":
    case "certificate-lifetime":
      return certificateLine(event);
    case "configuration-updated":
      return logLine("info", "Configuration updated", { changes: event.changes.join("; ") });
    case "draining":
      return logLine("info", "Draining", { streams: event.streams });
    case "stopped":
      return logLine("info", "Stopped");
    case "fault":
      return logLine("error", "Fault in this program, please report it", { reason: event.reason });
  }
}

function about(event: { service: string; peer: Address }) {
  return { service: event.service, peer: formatAddress(event.peer) };
}
