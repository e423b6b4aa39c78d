/**
 * What a transport tells, as events of the server or client that runs it, and how they read in the
 * log.
 *
 * @module
 */

import { type LogLine, logLine } from "../runtime/log_line.ts";
import type { CertificateLifetime, TransportEvents } from "./transport.ts";

/** An event that comes from a transport. */
export type CertificateEvent =
  | { readonly type: "certificate-renewed"; readonly files: readonly string[] }
  | { readonly type: "certificate-refused"; readonly reason: string }
  | ({ readonly type: "certificate-lifetime" } & CertificateLifetime);

/** Records what a transport tells. */
export function recordIn(
  journal: { record(event: CertificateEvent): void },
): TransportEvents {
  return {
    certificateRenewed: (files) => journal.record({ type: "certificate-renewed", files }),
    certificateRefused: (reason) => journal.record({ type: "certificate-refused", reason }),
    certificateLifetime: (it) => journal.record({ type: "certificate-lifetime", ...it }),
  };
}

/** The log line of an event. */
export function certificateLine(event: CertificateEvent): LogLine {
  switch (event.type) {
    case "certificate-renewed":
      return logLine("info", "New certificate in use", { files: event.files.join(", ") });
    case "certificate-refused":
      return logLine("warn", "New certificate refused, the old one stays in use", {
        reason: event.reason,
      });
    case "certificate-lifetime":
      return lifetimeLine(event);
  }
}

function lifetimeLine({ file, notAfter, notBefore, state }: CertificateLifetime): LogLine {
  switch (state) {
    case "not-yet-valid":
      return logLine("warn", "Certificate is not valid yet, the other end will refuse it", {
        file,
        not_before: moment(notBefore),
      });
    case "expires-soon":
      return logLine("warn", "Certificate expires soon", { file, not_after: moment(notAfter) });
    case "expired":
      return logLine("warn", "Certificate has expired, the other end will refuse it", {
        file,
        not_after: moment(notAfter),
      });
  }
}

/** `2027-01-31T12:00:00Z`: certificates have whole seconds. */
function moment(date: Date): string {
  return date.toISOString().replace(/\.\d+/, "");
}
