/**
 * The messages of rathole 0.5.0 (protocol version 1), in the layout of bincode 1: little-endian,
 * `u32` tags, fixed sizes, no length prefix. A reader therefore always knows how many bytes to
 * take, and never takes one too many.
 *
 * | message | bytes | layout |
 * |---|---|---|
 * | Hello | 37 | `u32` 0 control / 1 data, `u8` version, 32 bytes |
 * | Auth | 32 | session key |
 * | Ack | 4 | `u32` 0 ok, 1 service unknown, 2 authentication failed |
 * | control command | 4 | `u32` 0 create a data channel, 1 heartbeat |
 * | data command | 4 | `u32` 0 forward TCP, 1 forward UDP |
 *
 * Between two of ours, who have told each other that they are (`extension.ts`), also:
 *
 * | message | bytes | layout |
 * |---|---|---|
 * | Hello | 37 | `u32` 2 carrier, `u8` version, session key |
 * | control command | 4 | `u8` 2 carriers, `u8` how many are welcome, 2 bytes 0 |
 * | data command | 8 | `u32` 2 continue, `u32` the stream that goes on here |
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** The protocol version that 0.5.0 and this program speak. */
export const PROTOCOL_VERSION = 1;

/** Bytes of a digest: a service's name, a nonce, a session key. */
export const DIGEST_LENGTH = 32;
/** Bytes of a Hello. */
export const HELLO_LENGTH = 4 + 1 + DIGEST_LENGTH;
/** Bytes of an Ack and of either kind of command. */
export const TAG_LENGTH = 4;

/** What a connection is for. */
export type HelloKind = "control" | "data" | "carrier";

/** The first message in each direction of a control channel, and of a data channel's client. */
export interface Hello {
  /** What the connection is for. */
  readonly kind: HelloKind;
  /** 32 bytes: service digest (client, control), nonce (server) or session key (client, others). */
  readonly digest: Uint8Array;
}

/** The server's verdict on an Auth. */
export type Ack = "ok" | "service-unknown" | "auth-failed";
/** What a server tells a client over the control channel. */
export type ControlCommand = "create-data-channel" | "heartbeat" | CarriersWelcome;
/** So many carriers may the client have from now on. */
export interface CarriersWelcome {
  /** 0 to 255. */
  readonly carriers: number;
}
/** What a server tells a client to forward, over a data channel that it pairs with visitors. */
export type ForwardCommand = "forward-tcp" | "forward-udp";
/** What a server tells a client over a data channel; after `continue` comes a stream's number. */
export type DataCommand = ForwardCommand | "continue";

const HELLO_KINDS: readonly HelloKind[] = ["control", "data", "carrier"];
const ACKS: readonly Ack[] = ["ok", "service-unknown", "auth-failed"];
const CONTROL_COMMANDS = ["create-data-channel", "heartbeat"] as const;
const CARRIERS_TAG = 2;
const DATA_COMMANDS: readonly DataCommand[] = ["forward-tcp", "forward-udp", "continue"];

/** The 37 bytes of a Hello. */
export function encodeHello(hello: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_LENGTH);
  bytes[0] = HELLO_KINDS.indexOf(hello.kind);
  bytes[4] = PROTOCOL_VERSION;
  bytes.set(hello.digest, 5);
  return bytes;
}

/**
 * Reads 37 bytes as a Hello; the digest is a copy.
 *
 * @throws {RatholeError} `version` when a well-formed Hello names another protocol version,
 * `protocol` when the bytes are no Hello.
 */
export function decodeHello(bytes: Uint8Array): Hello {
  const kind = HELLO_KINDS[readTag(bytes)];
  const version = bytes[4];
  if (bytes.length !== HELLO_LENGTH || kind === undefined || version === undefined) {
    throw noHello(bytes);
  }
  if (version !== PROTOCOL_VERSION) {
    throw new RatholeError(
      "version",
      `the peer speaks protocol version ${version}, this program speaks ${PROTOCOL_VERSION}; ` +
        "use rathole 0.4 to 0.5.0 or this program at the other end",
    );
  }
  return { kind, digest: bytes.slice(5) };
}

/**
 * Judges the first 4 bytes or more of what should be a Hello, since what comes instead may be
 * shorter than one, as a TLS alert is.
 *
 * @throws {RatholeError} `protocol`
 */
export function requireHello(start: Uint8Array): void {
  if (HELLO_KINDS[readTag(start)] === undefined) throw noHello(start);
}

function noHello(bytes: Uint8Array): RatholeError {
  const message = `expected a rathole hello, got ${describeBytes(bytes)}: ` +
    "do both ends have the same transport.type?";
  return new RatholeError("protocol", message);
}

/** The 4 bytes of an Ack. */
export function encodeAck(ack: Ack): Uint8Array {
  return encodeTag(ACKS.indexOf(ack));
}

/** Reads 4 bytes as an Ack. @throws {RatholeError} `protocol` */
export function decodeAck(bytes: Uint8Array): Ack {
  return decodeTag(bytes, ACKS, "an acknowledgement");
}

/** The 4 bytes of a command on the control channel. */
export function encodeControlCommand(command: ControlCommand): Uint8Array {
  if (typeof command !== "string") return Uint8Array.of(CARRIERS_TAG, command.carriers, 0, 0);
  return encodeTag(CONTROL_COMMANDS.indexOf(command));
}

/** Reads 4 bytes as a command on the control channel. @throws {RatholeError} `protocol` */
export function decodeControlCommand(bytes: Uint8Array): ControlCommand {
  const [tag, carriers = 0, ...zeros] = bytes;
  if (tag === CARRIERS_TAG && zeros.length === 2 && zeros.every((byte) => byte === 0)) {
    return { carriers };
  }
  return decodeTag(bytes, CONTROL_COMMANDS, "a command on the control channel");
}

/** The 4 bytes of a command on a data channel. */
export function encodeDataCommand(command: DataCommand): Uint8Array {
  return encodeTag(DATA_COMMANDS.indexOf(command));
}

/** The 8 bytes that have a stream go on over the data channel. */
export function encodeContinue(stream: number): Uint8Array {
  const bytes = new Uint8Array(2 * TAG_LENGTH);
  bytes.set(encodeDataCommand("continue"));
  new DataView(bytes.buffer).setUint32(TAG_LENGTH, stream, true);
  return bytes;
}

/** Reads the 4 bytes after `continue`: a stream's number. */
export function decodeStreamNumber(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, TAG_LENGTH).getUint32(0, true);
}

/** Reads 4 bytes as a command on a data channel. @throws {RatholeError} `protocol` */
export function decodeDataCommand(bytes: Uint8Array): DataCommand {
  return decodeTag(bytes, DATA_COMMANDS, "a command on the data channel");
}

function encodeTag(tag: number): Uint8Array {
  return Uint8Array.of(tag, 0, 0, 0);
}

function decodeTag<T>(bytes: Uint8Array, names: readonly T[], what: string): T {
  const name = bytes.length === TAG_LENGTH ? names[readTag(bytes)] : undefined;
  if (name === undefined) {
    throw new RatholeError("protocol", `expected ${what}, got ${describeBytes(bytes)}`);
  }
  return name;
}

/** The little-endian `u32` that messages start with; NaN where there are fewer than 4 bytes. */
function readTag(bytes: Uint8Array): number {
  const at = (index: number) => bytes[index] ?? NaN;
  return at(0) + at(1) * 0x100 + at(2) * 0x10000 + at(3) * 0x1000000;
}

/** What unexpected bytes look like, for a log: a known protocol's name or a few bytes in hex. */
function describeBytes(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (/^(?:GET|POST|HEAD|PUT|OPTIONS|CONNECT|DELETE|PATCH|PRI) /.test(text)) {
    return "an HTTP request";
  }
  if (text.startsWith("HTTP")) return "an HTTP reply";
  if (text.startsWith("SSH-")) return "an SSH greeting";
  if (bytes[1] === 3 && bytes[0] === 0x16) return "a TLS handshake";
  if (bytes[1] === 3 && bytes[0] === 0x15) return "a TLS alert";
  const head = bytes.subarray(0, 8).toHex().replaceAll(/(..)(?=.)/g, "$1 ");
  return bytes.length === 0 ? "nothing" : `bytes ${head}${bytes.length > 8 ? " …" : ""}`;
}
