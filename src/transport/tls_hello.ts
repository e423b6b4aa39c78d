/**
 * Waiting for a client's first words before a TLS engine is made for it.
 *
 * @module
 */

/** Bytes of a record's header: its type, two of a version, two of the length of what follows. */
const HEADER = 5;
/** The type of the records that handshake messages come in (RFC 8446, 5.1). */
const HANDSHAKE = 22;
/** Most bytes of a record that is not encrypted, header and all (RFC 8446, 5.1). */
const LONGEST = HEADER + (1 << 14);
/** Holds most ClientHellos, those with post-quantum key shares too. */
const USUAL = 2 << 10;

/**
 * Reads until the client's first record is whole and returns all that came, at most 16,389 bytes.
 * An engine costs some 70 KiB, so a stranger is to have said something complete before one is made
 * for it: whoever drips his bytes costs no more than the bytes. What cannot become a handshake
 * record is returned at once, and so is what came before an end, for the engine to judge.
 *
 * @throws whatever the socket's `read` does
 */
export async function readFirstRecord(socket: Pick<Deno.TcpConn, "read">): Promise<Uint8Array> {
  let bytes = new Uint8Array(USUAL);
  let count = 0;
  while (count < wantedOf(bytes.subarray(0, count))) {
    if (count === bytes.length) bytes = grown(bytes);
    const read = await socket.read(bytes.subarray(count));
    if (read === null) break;
    count += read;
  }
  return bytes.subarray(0, count);
}

/** How many bytes there must be of a record that begins so; no more than there are: enough. */
function wantedOf(bytes: Uint8Array): number {
  const [type, , , high = 0, low = 0] = bytes;
  if (type !== undefined && type !== HANDSHAKE) return 0;
  if (bytes.length < HEADER) return HEADER;
  const whole = HEADER + (high << 8 | low);
  return whole > LONGEST ? 0 : whole;
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(bytes.length * 2, LONGEST));
  larger.set(bytes);
  return larger;
}
