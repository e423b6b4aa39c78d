import assert from "node:assert/strict";
import type { ServerEvent } from "./events.ts";
import { serverLogLine } from "./journal.ts";

const service = "web";
const peer = { hostname: "2001:db8::7", port: 7 };
const address = { hostname: "0.0.0.0", port: 2333 };
const reason = "why";
const who = { service: "web", peer: "[2001:db8::7]:7" };
const addr = "0.0.0.0:2333";

/** How each event reads: people grep for these words, so a change here is a change for them. */
const LINES: [ServerEvent, string, string, Record<string, unknown>, cheap?: true][] = [
  [{ type: "listening", address }, "info", "Listening", { addr }],
  [
    { type: "control-channel-established", service, peer },
    "info",
    "Control channel established",
    who,
  ],
  [
    { type: "control-channel-lost", service, peer, reason, wanted: false },
    "warn",
    "Control channel lost",
    { ...who, reason },
  ],
  [
    { type: "control-channel-lost", service, peer, reason, wanted: true },
    "info",
    "Control channel closed",
    { ...who, reason },
  ],
  [
    { type: "service-closed", service, address },
    "info",
    "No longer listening for visitors",
    { service, addr },
  ],
  [{ type: "service-listening", service, address }, "info", "Listening for visitors", {
    service,
    addr,
  }],
  [
    { type: "service-bind-failed", service, reason, retryIn: 1_449 },
    "error",
    "Cannot listen for visitors",
    { service, reason, retry_in: "1.4s" },
  ],
  [
    { type: "visitor-refused", service, peer, reason },
    "warn",
    "Visitor refused",
    { ...who, reason },
    true,
  ],
  [{ type: "stream-opened", service, peer }, "debug", "Visitor connected", who],
  [
    { type: "stream-closed", service, peer, reason: undefined },
    "debug",
    "Visitor disconnected",
    who,
  ],
  [
    { type: "stream-closed", service, peer, reason },
    "debug",
    "Visitor disconnected",
    { ...who, reason },
  ],
  [
    { type: "handshake-failed", peer, reason },
    "warn",
    "Handshake failed",
    { peer: who.peer, reason },
    true,
  ],
  [
    { type: "connection-refused", peer, reason },
    "warn",
    "Connection refused",
    { peer: who.peer, reason },
    true,
  ],
  [
    { type: "accept-failed", address, reason },
    "error",
    "Cannot accept connections",
    { addr, reason },
    true,
  ],
  [{ type: "accept-recovered", address }, "info", "Accepting connections again", { addr }, true],
  [{ type: "draining", streams: 3 }, "info", "Draining", { streams: 3 }],
  [{ type: "stopped" }, "info", "Stopped", {}],
  [{ type: "fault", reason }, "error", "Fault in this program, please report it", { reason }],
];

for (const [event, level, message, fields, cheap] of LINES) {
  Deno.test(`${event.type} reads "${message}"${"reason" in event ? " with its reason" : ""}`, () => {
    const line = serverLogLine(event);
    assert.deepEqual({ ...line, fields: { ...line.fields } }, {
      level,
      message,
      fields,
      ...(cheap ? { cheap } : {}),
    });
  });
}
