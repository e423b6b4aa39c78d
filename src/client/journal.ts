/**
 * How a client's events read in the log (target `rathole::client`).
 *
 * @module
 */

import { formatAddress } from "../runtime/address.ts";
import { Journal } from "../runtime/journal.ts";
import { certificateLine } from "../transport/journal.ts";
import { cheapLogLine, inSeconds, type LogLine, logLine } from "../runtime/log_line.ts";
import type { ClientEvent } from "./events.ts";

/** What every visitor causes. */
const DETAIL: ReadonlySet<ClientEvent["type"]> = new Set(["stream-opened", "stream-closed"]);

/** The journal of a client. */
export type ClientJournal = Journal<ClientEvent>;

/** A journal for one client; `now` in milliseconds. */
export function openClientJournal(now: () => number): ClientJournal {
  return new Journal(["rathole", "client"], now, clientLogLine, DETAIL);
}

/** The log line of an event. */
export function clientLogLine(event: ClientEvent): LogLine {
  switch (event.type) {
    case "control-channel-established":
      return logLine("info", "Control channel established", {
        service: event.service,
        server: formatAddress(event.server),
      });
    case "control-channel-lost":
    case "control-channel-failed":
      return logLine(
        "warn",
        event.type === "control-channel-lost"
          ? "Control channel lost"
          : "Cannot establish control channel",
        {
          service: event.service,
          server: formatAddress(event.server),
          reason: event.reason,
          retry_in: inSeconds(event.retryIn),
        },
      );
    case "gave-up":
      return logLine("error", "Gave up", { service: event.service, reason: event.reason });
    case "data-channel-failed":
      return cheapLogLine("warn", "Cannot open data channel", {
        service: event.service,
        reason: event.reason,
      });
    case "carrier-opened":
      return logLine("debug", "Carrier opened", { service: event.service });
    case "carrier-lost": {
      const { reason, service, streams } = event;
      return streams === 0
        ? logLine("debug", "Carrier closed", { service, reason })
        : logLine("warn", "Carrier lost", { service, reason, visitors: streams });
    }
    case "carrier-failed":
      return cheapLogLine("warn", "Cannot open carrier", {
        service: event.service,
        reason: event.reason,
      });
    case "local-unreachable":
      return cheapLogLine("warn", "Cannot reach the local service", {
        service: event.service,
        reason: event.reason,
      });
    case "stream-opened":
      return logLine("debug", "Visitor connected", { service: event.service });
    case "stream-closed":
      return logLine("debug", "Visitor disconnected", {
        service: event.service,
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      });
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
