/**
 * The head of an HTTP/1.1 request or reply, RFC 9112: a start line, field lines, an empty line. As
 * strict as the sender may be asked to be, so that no proxy on the way has read it differently.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** The most bytes of a head, and the most lines after the first. */
const MOST_BYTES = 8 << 10;
const MOST_FIELDS = 100;
/** Bytes that most heads fit in. */
const USUAL_BYTES = 1 << 10;

/** A token of RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

const TAB = 9;
const LF = 10;
const CR = 13;
const DEL = 127;

/** A head that has been taken apart. */
export interface Head {
  /** The first line. */
  readonly start: string;
  /** Lower-case field names, each with its values in the order of their lines. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** Collects a head from the chunks it comes in. */
export class HeadReader {
  #bytes = new Uint8Array(USUAL_BYTES);
  #length = 0;
  /** How many bytes of the CR LF CR LF at its end have been seen. */
  #ending = 0;

  /** The bytes that have come. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Takes what the chunk has of the head.
   *
   * @returns how many of the chunk's bytes that were, once the head is complete; until then null
   * @throws {RatholeError} `protocol` for a head of more than 8 KiB, for bytes that no head has, a
   * CR or LF by itself among them.
   */
  push(chunk: Uint8Array): number | null {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.#length === MOST_BYTES) {
        throw new RatholeError("protocol", "an HTTP head of more than 8 KiB");
      }
      const afterCr = (this.#ending & 1) === 1;
      const plain = byte >= 32 && byte !== DEL || byte === TAB;
      const belongs = afterCr ? byte === LF : plain || byte === CR;
      this.#add(byte);
      if (!belongs) throw new RatholeError("protocol", this.#describe());
      this.#ending = afterCr || byte === CR ? this.#ending + 1 : 0;
      if (this.#ending === 4) return i + 1;
    }
    return null;
  }

  /**
   * Takes the complete head apart.
   *
   * @throws {RatholeError} `protocol` for a line that is none, folded ones (RFC 9112, section 5.2)
   * among them, and for more than 100 of them.
   */
  parse(): Head {
    // A byte a character: what a field's value means is for who reads it.
    let text = "";
    for (const byte of this.bytes) text += String.fromCharCode(byte);
    const [start = "", ...lines] = text.slice(0, -4).split("\r\n");
    if (lines.length > MOST_FIELDS) {
      throw new RatholeError("protocol", `an HTTP head of more than ${MOST_FIELDS} fields`);
    }
    const fields = new Map<string, string[]>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(0, colon)).toLowerCase();
      // Values may be secret, and so may be what looks like a name and is none.
      if (!TOKEN.test(name)) {
        throw new RatholeError("protocol", "an HTTP head with a malformed field");
      }
      const value = line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, "");
      const values = fields.get(name);
      if (values === undefined) fields.set(name, [value]);
      else values.push(value);
    }
    return { start, fields };
  }

  #add(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  #describe(): string {
    const first = this.#bytes[0] ?? 0;
    if (first === 0x15 || first === 0x16) {
      const what = first === 0x15 ? "a TLS alert" : "a TLS handshake";
      return `${what}, no HTTP: is TLS on at one end only (transport.type, websocket.tls)?`;
    }
    // Every method, and every version in a reply, begins with a capital letter.
    if (first < 65 || first > 90) {
      return "bytes that are no HTTP: do both ends have the same transport.type?";
    }
    return "an HTTP head with a control character, or a CR or LF by itself";
  }
}

/** Members of a field that is a list (RFC 9110, section 5.6.1): lower case, without parameters. */
export function membersOf(head: Head, name: string): string[] {
  const members = (head.fields.get(name) ?? []).flatMap((value) => value.split(","));
  return members.map((member) => (member.split(";")[0] ?? "").trim().toLowerCase())
    .filter((member) => member !== "");
}

/** The value of a field that is there exactly once. */
export function onlyValue(head: Head, name: string): string | undefined {
  const values = head.fields.get(name) ?? [];
  return values.length === 1 ? values[0] : undefined;
}
