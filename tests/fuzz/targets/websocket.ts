/**
 * Frames and heads of WebSocket.
 *
 * @module
 */

import { parseNetwork } from "../../../src/runtime/network.ts";
import { parseIp } from "../../../src/runtime/address.ts";
import { forwardedPeer } from "../../../src/websocket/forwarded.ts";
import { FrameDecoder } from "../../../src/websocket/frame_decoder.ts";
import { OPCODE } from "../../../src/websocket/frame.ts";
import { type Head, HeadReader } from "../../../src/websocket/head.ts";
import {
  acceptFor,
  encodeReply,
  encodeRequest,
  readReply,
  readRequest,
} from "../../../src/websocket/upgrade.ts";
import { bytesOf } from "../../support/local_services.ts";
import { frameOf } from "../../support/websocket.ts";
import { concat, piecesOf, sameBytes } from "../engine/pieces.ts";
import {
  must,
  type Outcome,
  outcomeOf,
  proportional,
  shapeOf,
  sizeOf,
  type Target,
} from "../engine/target.ts";
import { referenceDecode } from "./websocket_reference.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const PEER = { hostname: "192.0.2.1", port: 4000 };

/** Frames of a client, the first byte even, or of a server: whatever the pieces, the same stream. */
export function websocketFrames(): Target {
  const stream = (masked: boolean) => {
    const of = (opcode: 0 | 2 | 8 | 9 | 10, text: string, first?: number) =>
      frameOf(opcode, bytesOf(text), first === undefined ? { masked } : { masked, first });
    return concat([
      Uint8Array.of(masked ? 0 : 1),
      of(OPCODE.binary, "hello"),
      of(OPCODE.ping, "ping"),
      of(OPCODE.binary, "begun, ", 2),
      of(OPCODE.pong, ""),
      of(OPCODE.continuation, "ended"),
      of(OPCODE.binary, "x".repeat(200)),
      of(OPCODE.close, "\x03\xe8"),
    ]);
  };
  return {
    name: "websocket-frames",
    seeds: [stream(true), stream(false)],
    tokens: [0x00, 0x02, 0x80, 0x82, 0x88, 0x89, 0x8a].flatMap((first) =>
      [0, 0x80].map((mask) => Uint8Array.of(first, mask | 5, 1, 2, 3, 4))
    ),
    longest: 1024,
    batch: 256,
    allowance: proportional,
    run(input) {
      const sender = (input[0] ?? 0) % 2 === 0 ? "client" : "server";
      const frames = input.subarray(1);
      const whole = decode(sender, [frames.slice()], Infinity);
      const parts = decode(sender, piecesOf(frames), 1 + frames.length % 9);
      const reference = referenceDecode(sender, frames);
      must(whole.log === parts.log, `${whole.log} in one piece, ${parts.log} in many`);
      must(sameBytes(whole.payload, parts.payload), "other payload in pieces");
      must(sameBytes(whole.payload, reference.payload), "other payload than the reference decodes");
      const { log, error } = reference;
      must(whole.log === `${log}${whole.end}`, `${whole.log}, and ${log} of the reference`);
      must(error === (whole.end !== ""), `${whole.end} is not as the reference judges`);
      return `${sender} ${sizeOf(whole.payload.length)} ${log.slice(0, 4)} ${whole.end}`;
    },
  };
}

function decode(sender: "client" | "server", chunks: readonly Uint8Array[], max: number) {
  const decoder = new FrameDecoder(sender);
  const payload: Uint8Array[] = [];
  let log = "";
  const { error } = outcomeOf(["protocol"], () => {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (;;) {
        const step = decoder.next(max);
        if (step === "more") break;
        if (step === "close") {
          log += "c";
          return;
        }
        if (step === "ping") log += `p${decoder.control.toHex()}`;
        else {
          must(step.length > 0 && step.length <= max, `${step.length} bytes of at most ${max}`);
          payload.push(step.slice());
        }
      }
      // What was lent is over now.
      chunk.fill(0xdd);
    }
  });
  const end = error === undefined ? "" : shapeOf(error);
  return { payload: concat(payload), log: log + end, end };
}

/** A head in whatever pieces; null where it does not end, with what follows it uncounted. */
function readHead(chunks: readonly Uint8Array[]): Outcome<{ head: Head; length: number } | null> {
  return outcomeOf(["protocol"], () => {
    const reader = new HeadReader();
    let length = 0;
    for (const chunk of chunks) {
      const count = reader.push(chunk);
      length += count ?? chunk.length;
      if (count === null) continue;
      must(sameBytes(reader.bytes, concat(chunks).subarray(0, length)), "a head that changes");
      return { head: reader.parse(), length };
    }
    return null;
  });
}

/** Reads a head in one piece and in many; the answer is the same, or it fails. */
function sameHead(input: Uint8Array): Head | string {
  const whole = readHead([input]);
  const parts = readHead(piecesOf(input));
  must(textOf(whole) === textOf(parts), "another head in pieces");
  if (whole.error !== undefined) return shapeOf(whole.error);
  return whole.value?.head ?? "unfinished";
}

function textOf({ value, error }: ReturnType<typeof readHead>): string {
  if (error !== undefined) return shapeOf(error);
  return JSON.stringify([value?.length, value?.head.start, ...value?.head.fields ?? []]);
}

const FIELDS = [
  ...["Upgrade: websocket\r\n", "Connection: Upgrade, keep-alive\r\n", "Content-Length: 0\r\n"],
  ...["Sec-WebSocket-Version: 13\r\n", `Sec-WebSocket-Key: ${KEY}\r\n`, "Origin: x\r\n"],
  ...["Sec-WebSocket-Extensions: rathole-half-close; a=1, x\r\n", "Transfer-Encoding: chunked\r\n"],
  ...[`Sec-WebSocket-Accept: ${acceptFor(KEY)}\r\n`, "Sec-WebSocket-Protocol: x\r\n", "a:b\r\n"],
  ...["\r\n\r\n", "\r\n", "\r", "\n", " ", "\t", ":", ",", ";", "HTTP/1.1", "101", "302", "404"],
  ...["GET / HTTP/1.1\r\n", "POST /tunnel HTTP/1.1\r\n", "HTTP/1.1 101 \r\n", "HTTP/1.0 502 x\r\n"],
];

/** What a server is asked. */
export function upgradeRequests(): Target {
  const base = { path: "/", host: "tunnel.example", key: KEY, headers: [] };
  return {
    name: "upgrade-requests",
    longest: 3000,
    seeds: [
      encodeRequest(base),
      encodeRequest({
        ...base,
        path: "/tunnel?a=b",
        headers: [["X-Forwarded-For", "::1, 9.9.9.9"]],
      }),
      bytesOf("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
      encodeRequest({ ...base, headers: [["Cookie", "x".repeat(1000)], ["A", "y".repeat(900)]] }),
    ],
    tokens: [...FIELDS, "X-Forwarded-For: [2001:db8::1]:4711, 10.0.0.1\r\n"],
    allowance: proportional,
    run(input) {
      const head = sameHead(input);
      if (typeof head === "string") return head;
      forwardedPeer(PEER, head.fields.get("x-forwarded-for") ?? [], TRUSTED);
      const verdicts = [undefined, "/tunnel"].map((path) => {
        const upgrade = readRequest(head, path);
        if (typeof upgrade === "string") return upgrade.replace(/HTTP [A-Z]+/, "HTTP method");
        encodeReply(upgrade);
        return `granted ${upgrade.halfClose}`;
      });
      return verdicts.join(", ");
    },
  };
}

/** What a client is answered. */
export function upgradeReplies(): Target {
  return {
    name: "upgrade-replies",
    seeds: [
      encodeReply({ key: KEY, halfClose: true }),
      encodeReply({ key: KEY, halfClose: false }),
      bytesOf("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ],
    tokens: FIELDS,
    allowance: proportional,
    run(input) {
      const head = sameHead(input);
      if (typeof head === "string") return head;
      const { value, error } = outcomeOf(["protocol"], () => readReply(head, KEY));
      return error === undefined ? `granted ${value}` : shapeOf(error);
    },
  };
}

const TRUSTED = ["192.0.2.0/24", "10.0.0.0/8", "fd00::/8"].flatMap((text) =>
  parseNetwork(text) ?? []
);

/** X-Forwarded-For: whoever a client is taken for has an address. */
export function forwardedHeaders(): Target {
  return {
    name: "forwarded-headers",
    seeds: [
      "203.0.113.9, 10.0.0.1",
      "[2001:db8::1]:4711,fd00::1",
      "unknown, 198.51.100.1:80\n10.1.1.1",
      "::ffff:10.0.0.1",
    ].map(bytesOf),
    tokens: ["10.0.0.1", "fd00::2", "[", "]", ":", ",", " ", "\n", "%eth0", "256", "::", ":65536"],
    longest: 200,
    batch: 256,
    allowance: proportional,
    run(input) {
      const values = new TextDecoder().decode(input).split("\n");
      const { hostname, port } = forwardedPeer(PEER, values, TRUSTED);
      must(parseIp(hostname) !== null, `${hostname} is no address`);
      must(Number.isInteger(port) && port >= 0 && port <= 65_535, `port ${port}`);
      const stranger = { ...PEER, hostname: "203.0.113.1" };
      must(forwardedPeer(stranger, values, TRUSTED) === stranger, "a stranger is believed");
      return `${hostname === PEER.hostname} ${parseIp(hostname)?.length} ${port > 0}`;
    },
  };
}
