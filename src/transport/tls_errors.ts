/**
 * What went wrong with TLS, said so that a person at either end can act on it.
 *
 * Both engines (Deno's own and `node:tls`) are rustls underneath; its words are what there is to
 * recognise failures by. An alert (RFC 8446, 6.2) is what the other side said of its own accord.
 *
 * @module
 */

import { lostError } from "../net/system_errors.ts";
import { type Address, formatAddress } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";

/** The error for a TCP stream that ended before the TLS stream in it did. */
export function truncatedError(cause?: unknown): RatholeError {
  const message = "the connection was cut: it ended without TLS's close_notify";
  return new RatholeError("closed", message, { cause });
}

/** A pattern of the engine's words, and what it means. */
type Meaning = readonly [RegExp, RatholeError["code"], string];

/** What to look at in the configuration of an end that does not use TLS. */
const ASKED = 'does it use transport.type = "tls", or "websocket" with websocket.tls = true?';

const NOT_TLS = /InvalidContentType|corrupt message|InvalidMessage|MessageTooLarge|wrong version/i;

/** What a server's handshake can fail with. */
const AT_SERVER: readonly Meaning[] = [
  [
    /alert: ?UnknownCA/i,
    "untrusted",
    "the client does not trust this server's certificate; " +
    "its transport.tls.trusted_root must name the CA that signed it",
  ],
  [
    /alert: ?DecryptError/i,
    "untrusted",
    "the client refuses this server's certificate: its transport.tls.trusted_root has another key " +
    "than the CA that signed it, as a CA has that was made anew with the same name",
  ],
  [
    /alert: ?(BadCertificate|CertificateUnknown|UnsupportedCertificate)/i,
    "untrusted",
    "the client refuses this server's certificate; its log says why (most often the host name)",
  ],
  [
    /alert: ?CertificateExpired/i,
    "untrusted",
    "the client finds this server's certificate expired or not valid yet; " +
    "renew it, or check the client's clock",
  ],
  [
    /alert: ?(ProtocolVersion|HandshakeFailure|InsufficientSecurity)/i,
    "protocol",
    "the client and this server share no TLS version and cipher suite; TLS 1.2 or 1.3 is needed",
  ],
  [
    /PeerIncompatible|incompatible|NoCipherSuites|no shared|unsupported protocol|UnsupportedVersion/i,
    "protocol",
    "the client and this server share no TLS version and cipher suite; TLS 1.2 or 1.3 is needed",
  ],
  [
    /sent no certificates|NoCertificatesPresented/i,
    "untrusted",
    "the client showed no certificate, and client_ca demands one; " +
    "set certificate and private_key in its [client.transport.tls]",
  ],
];

/** The error for a handshake that failed at a server; `refusal` is why a client was not let in. */
export function serverHandshakeError(cause: unknown, refusal?: unknown): RatholeError {
  const text = explain(cause);
  if (refusal) {
    // The engine has one verdict for all that is wrong with a chain.
    const message = `the client's certificate is refused (${refusal}): it is not signed by ` +
      "client_ca, is not for clients, or has expired, or is not valid yet; check both clocks";
    return new RatholeError("untrusted", message, { cause });
  }
  for (const [pattern, code, message] of AT_SERVER) {
    if (pattern.test(text)) return new RatholeError(code, message, { cause });
  }
  if (/handshake timeout/i.test(text)) {
    return new RatholeError("timeout", "the client took too long for the TLS handshake", { cause });
  }
  if (NOT_TLS.test(text)) {
    const message = `the client does not speak TLS; ${ASKED}`;
    return new RatholeError("protocol", message, { cause });
  }
  if (/hang up|closed|reset|EOF|end of file/i.test(text)) {
    return new RatholeError("closed", "the client closed during the TLS handshake", { cause });
  }
  return new RatholeError("protocol", `the TLS handshake failed: ${text}`, { cause });
}

/** What a client's handshake can fail with; `%` stands for the name that was expected. */
const AT_CLIENT: readonly Meaning[] = [
  [
    // `node:tls` has this one verdict for all that is wrong with a chain.
    /unable to verify/i,
    "untrusted",
    "the server's certificate is not signed by a CA that is trusted here, or has expired, or is " +
    "not valid yet; set transport.tls.trusted_root to the CA's certificate, check the clocks",
  ],
  [
    /UnknownIssuer|SELF_SIGNED|UNABLE_TO|unable to get|self.signed|CaUsedAsEndEntity/i,
    "untrusted",
    "the server's certificate is not signed by a CA that is trusted here; " +
    "set transport.tls.trusted_root to the CA's certificate (PEM)",
  ],
  [
    /not valid for name|NotValidForName|ALTNAME|altname|does not match certificate/i,
    "untrusted",
    'the server\'s certificate is not for the name "%"; ' +
    "set transport.tls.hostname to a name in it",
  ],
  [
    /not valid yet|NotValidYet|NOT_YET_VALID/i,
    "untrusted",
    "the server's certificate is not valid yet; check the clock of this machine, then the server's " +
    "certificate",
  ],
  [
    /expired/i,
    "untrusted",
    "the server's certificate has expired; renew it at the server, or check this machine's clock",
  ],
  [
    /BadSignature|signature failure/i,
    "untrusted",
    "the server's certificate is not signed with the key of transport.tls.trusted_root; a CA made " +
    "anew has another key: copy its certificate to this machine again",
  ],
  [/invalid peer certificate/i, "untrusted", "the server's certificate is refused"],
  [
    /alert: ?CertificateRequired|certificate required/i,
    "untrusted",
    "the server wants a client certificate; set transport.tls.certificate and private_key",
  ],
  [
    /alert: ?(UnknownCA|BadCertificate|CertificateUnknown|CertificateExpired|AccessDenied|UnsupportedCertificate)/i,
    "untrusted",
    "the server refused this client's certificate; " +
    "transport.tls.certificate must be signed by its client_ca, and in date",
  ],
  [
    /alert: ?(ProtocolVersion|HandshakeFailure|InsufficientSecurity)|PeerIncompatible|incompatible/i,
    "protocol",
    "the server shares no TLS version and cipher suite with this client; " +
    "TLS 1.2 or 1.3 is needed",
  ],
  [
    NOT_TLS,
    "protocol",
    `the server does not answer in TLS; ${ASKED}`,
  ],
];

/** What a client's error means, in the handshake or after it; undefined for a lost connection. */
function clientMeaning(cause: unknown, name: string): RatholeError | undefined {
  const text = explain(cause);
  for (const [pattern, code, message] of AT_CLIENT) {
    if (!pattern.test(text)) continue;
    const detail = code === "untrusted" && !/alert/i.test(text) ? ` (${brief(text)})` : "";
    return new RatholeError(code, message.replace("%", () => name) + detail, { cause });
  }
  return undefined;
}

/** The error for a handshake with the server at `to`, whose name must be `name`. */
export function clientHandshakeError(to: Address, name: string, cause: unknown): RatholeError {
  const where = formatAddress(to);
  const meaning = clientMeaning(cause, name);
  if (meaning !== undefined) {
    return new RatholeError(meaning.code, `TLS with ${where}: ${meaning.message}`, { cause });
  }
  const text = explain(cause);
  if (/EOF|end of file|hang up|reset|disconnected|closed|broken pipe/i.test(text)) {
    const message = `${where} closed the connection during the TLS handshake; ` +
      ASKED.replace("it", "the server");
    return new RatholeError("closed", message, { cause });
  }
  return new RatholeError("protocol", `the TLS handshake with ${where} failed: ${text}`, { cause });
}

/**
 * The error for a client's connection that broke in use. A TLS 1.3 server judges the client's
 * certificate after the client has finished its handshake, so that verdict comes here.
 */
export function clientLostError(cause: unknown): RatholeError {
  if (cause instanceof RatholeError) return cause;
  const text = explain(cause);
  if (/alert: ?/i.test(text)) {
    const meaning = clientMeaning(cause, "");
    if (meaning !== undefined) return meaning;
  }
  if (/close_notify/i.test(text)) return truncatedError(cause);
  return lostError(cause);
}

/** As {@linkcode clientLostError}, for a client that has shown a certificate. */
export function shownLostError(cause: unknown, received: boolean): RatholeError {
  const lost = clientLostError(cause);
  if (received || lost.code !== "closed") return lost;
  const message = "the server closed the connection right after the TLS handshake, as one does " +
    "that refuses the client's certificate: transport.tls.certificate must be signed by its " +
    "client_ca, and in date";
  return new RatholeError("closed", message, { cause });
}

/** The engine's words without what it wraps around them. */
function brief(text: string): string {
  return text.replace(/^.*invalid peer certificate: /, "").replace(/^\w+Error: /, "").slice(0, 200);
}
