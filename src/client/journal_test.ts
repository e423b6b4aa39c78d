import assert from "node:assert/strict";
import type { ClientEvent } from "./events.ts";
import { clientLogLine } from "./journal.ts";

const service = "web";
const server = { hostname: "tunnel.example", port: 2333 };
const reason = "why";
const where = { service, server: "tunnel.example:2333" };

/** How each event reads: people grep for these words, so a change here is a change for them. */
const LINES: [ClientEvent, string, string, Record<string, unknown>, cheap?: true][] = [
  [
    { type: "control-channel-established", service, server },
    "info",
    "Control channel established",
    where,
  ],
  [
    { type: "control-channel-lost", service, server, reason, retryIn: 512 },
    "warn",
    "Control channel lost",
    { ...where, reason, retry_in: "0.5s" },
  ],
  [
    { type: "control-channel-failed", service, server, reason, retryIn: 61_000 },
    "warn",
    "Cannot establish control channel",
    { ...where, reason, retry_in: "61.0s" },
  ],
  [{ type: "gave-up", service, reason }, "error", "Gave up", { service, reason }],
  [
    { type: "data-channel-failed", service, reason },
    "warn",
    "Cannot open data channel",
    { service, reason },
    true,
  ],
  [
    { type: "local-unreachable", service, reason },
    "warn",
    "Cannot reach the local service",
    { service, reason },
    true,
  ],
  [{ type: "stream-opened", service }, "debug", "Visitor connected", { service }],
  [
    { type: "stream-closed", service, reason: undefined },
    "debug",
    "Visitor disconnected",
    { service },
  ],
  [
    { type: "stream-closed", service, reason },
    "debug",
    "Visitor disconnected",
    { service, reason },
  ],
  [
    { type: "configuration-updated", changes: ["remote_addr", "service web: token"] },
    "info",
    "Configuration updated",
    { changes: "remote_addr; service web: token" },
  ],
  [{ type: "draining", streams: 3 }, "info", "Draining", { streams: 3 }],
  [{ type: "stopped" }, "info", "Stopped", {}],
  [{ type: "fault", reason }, "error", "Fault in this program, please report it", { reason }],
];

for (const [event, level, message, fields, cheap] of LINES) {
  const suffix = "reason" in event && event.reason !== undefined ? " with its reason" : "";
  Deno.test(`${event.type} reads "${message}"${suffix}`, () => {
    const line = clientLogLine(event);
    assert.deepEqual({ ...line, fields: { ...line.fields } }, {
      level,
      message,
      fields,
      ...(cheap ? { cheap } : {}),
    });
  });
}
