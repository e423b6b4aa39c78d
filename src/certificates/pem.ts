/**
 * PEM, the text form of certificates and keys (RFC 7468).
 *
 * @module
 */

/** DER as PEM under a label such as `CERTIFICATE`: lines of 64 characters, the last one ended. */
export function toPem(label: string, der: ArrayBuffer): string {
  const lines = new Uint8Array(der).toBase64().replaceAll(/(.{64})(?=.)/g, "$1\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The DER of the first block with the label; undefined when there is none, or not in base64. */
export function fromPem(label: string, text: string): ArrayBuffer | undefined {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) return undefined;
  const body = text.slice(from + begin.length, to).replaceAll(/\s/g, "");
  return /^(?:[A-Za-z\d+/]{4})*[A-Za-z\d+/]{2}(?:[A-Za-z\d+/]{2}|[A-Za-z\d+/]=|==)$/.test(body)
    ? Uint8Array.fromBase64(body).buffer
    : undefined;
}
