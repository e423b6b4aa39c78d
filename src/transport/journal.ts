/**
 * What a transport tells, as events of the server or client that runs it, and how they read in the
 * log.
 *
 * @module
 */

import { type LogLine, logLine } from "../runtime/log_line.ts";
import type { TransportEvents } from "./transport.ts";

/** An event that comes from a transport. */
export type CertificateEvent =
  | { readonly type: "certificate-renewed"; readonly files: readonly string[] }
  | { readonly type: "certificate-refused"; readonly reason: string };

/** Records what a transport tells. */
export function recordIn(
  journal: { record(event: CertificateEvent): void },
): TransportEvents {
  return {
    certificateRenewed: (files) => journal.record({ type: "certificate-renewed", files }),
    certificateRefused: (reason) => journal.record({ type: "certificate-refused", reason }),
  };
}

/** The log line of an event. */
export function certificateLine(event: CertificateEvent): LogLine {
  if (event.type === "certificate-renewed") {
    return logLine("info", "New certificate in use", { files: event.files.join(", ") });
  }
  return logLine("warn", "New certificate refused, the old one stays in use", {
    reason: event.reason,
  });
}
