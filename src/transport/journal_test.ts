import { deepEqual } from "node:assert/strict";
import { type CertificateEvent, certificateLine, recordIn } from "./journal.ts";

const file = "/etc/tunnel/server.pem";
const notBefore = new Date("2027-01-01T00:00:00Z");
const notAfter = new Date("2027-03-31T23:59:59Z");
const dates = { file, notBefore, notAfter };

Deno.test("what a transport tells is an event, and a line of the log", () => {
  const seen: CertificateEvent[] = [];
  const events = recordIn({ record: (event) => seen.push(event) });
  events.certificateRenewed([file, "/etc/tunnel/server.key"]);
  events.certificateRefused("why");
  events.certificateLifetime({ ...dates, state: "not-yet-valid" });
  events.certificateLifetime({ ...dates, state: "expires-soon" });
  events.certificateLifetime({ ...dates, state: "expired" });
  const lines = seen.map(certificateLine).map(({ level, message, fields, ...rest }) => {
    deepEqual(rest, {});
    return [level, message, fields];
  });
  deepEqual(lines, [
    ["info", "New certificate in use", { files: `${file}, /etc/tunnel/server.key` }],
    ["warn", "New certificate refused, the old one stays in use", { reason: "why" }],
    [
      "warn",
      "Certificate is not valid yet, the other end will refuse it",
      { file, not_before: "2027-01-01T00:00:00Z" },
    ],
    ["warn", "Certificate expires soon", { file, not_after: "2027-03-31T23:59:59Z" }],
    [
      "warn",
      "Certificate has expired, the other end will refuse it",
      { file, not_after: "2027-03-31T23:59:59Z" },
    ],
  ]);
});
