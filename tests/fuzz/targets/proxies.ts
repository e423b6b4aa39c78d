/**
 * What proxies answer.
 *
 * @module
 */

import { Exchange, type Handshake } from "../../../src/transport/proxy/exchange.ts";
import { httpConnect } from "../../../src/transport/proxy/http_connect.ts";
import { socks5 } from "../../../src/transport/proxy/socks5.ts";
import { bytesOf } from "../../support/local_services.ts";
import { piecesOf } from "../engine/pieces.ts";
import { must, settled, shapeOf, type Target } from "../engine/target.ts";
import { FedSocket } from "./fed_socket.ts";

const PROXY = { hostname: "192.0.2.7", port: 3128 };
const SERVER = { hostname: "tunnel.example", port: 2333 };
const CREDENTIALS = { username: "somebody", password: "hunter2" };

/** The verdict on an answer, and how many of its bytes were left for the tunnel. */
async function verdict(handshake: Handshake, chunks: readonly Uint8Array[]) {
  const socket = new FedSocket(chunks);
  const { error } = await settled(["proxy"], handshake(new Exchange(socket, PROXY), SERVER));
  must(!/hunter2|somebody/.test(error?.message ?? ""), "credentials shown");
  const early = error !== undefined && /sent something before/.test(error.message);
  return { shape: error === undefined ? "ok" : shapeOf(error), left: socket.left, early };
}

/** Answers to CONNECT. */
export function httpProxies(): Target {
  const handshakes = [httpConnect(undefined), httpConnect(CREDENTIALS)];
  return {
    name: "http-proxies",
    seeds: [
      "HTTP/1.1 200 Connection established\r\n\r\n",
      "HTTP/1.0 100 Continue\n\nHTTP/1.1 204 x\r\nVia: y\r\n\r\n",
      "HTTP/1.1 407 x\r\nProxy-Authenticate: Digest a=b\r\nproxy-authenticate: basic\r\n\r\n<html>",
      "HTTP/1.1 503 x\r\nContent-Length: 5\r\n\r\n12345",
      `HTTP/1.1 200 x\r\n${"A: b\r\n".repeat(3000)}\r\n`,
    ].map(bytesOf),
    tokens: [
      ...[
        "HTTP/1.",
        "HTTP/1.1 101 \r\n\r\n",
        " 200",
        " 403 ",
        "\r\n\r\n",
        "\n\n",
        "\r",
        "\n",
        "\x05",
      ],
      ...["Proxy-Authenticate: ", "Negotiate", "Basic", "hunter2", "a".repeat(500)],
    ],
    longest: 1500,
    batch: 64,
    async run(input) {
      const shapes = [];
      for (const handshake of handshakes) {
        const whole = await verdict(handshake, [input]);
        const parts = await verdict(handshake, piecesOf(input));
        // Only what comes along with the last bytes of the answer is seen to be too early.
        const early = whole.early && parts.shape === "ok";
        must(early || whole.shape === parts.shape, `${whole.shape}; in pieces ${parts.shape}`);
        shapes.push(whole.shape);
      }
      return shapes.join(", ");
    },
  };
}

/** Answers of SOCKS5. */
export function socksProxies(): Target {
  const handshakes = [socks5(undefined), socks5(CREDENTIALS)];
  return {
    name: "socks-proxies",
    seeds: [
      [5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 5, 6],
      [5, 2, 1, 0, 5, 0, 0, 3, 2, 97, 98, 5, 6],
      [5, 0, 5, 0, 0, 4, ...Array(18).fill(0), 9, 9],
      [5, 2, 1, 1],
      [5, 255],
      [5, 0, 5, 5, 0, 1],
    ].map((bytes) => Uint8Array.from(bytes)),
    tokens: ["HTTP/1.1", Uint8Array.of(5, 0), Uint8Array.of(5, 2, 1, 0), Uint8Array.of(0, 90)],
    longest: 400,
    batch: 128,
    async run(input) {
      const shapes = [];
      for (const handshake of handshakes) {
        const whole = await verdict(handshake, [input]);
        const parts = await verdict(handshake, piecesOf(input));
        must(whole.shape === parts.shape, `${whole.shape} in one piece, ${parts.shape} in many`);
        must(whole.left === parts.left, "bytes of the tunnel were taken, or left, in pieces");
        const length = whole.shape === "ok" ? answerLength(input) : 0;
        must(length + whole.left === input.length || length === 0, `${whole.left} bytes left`);
        shapes.push(whole.shape);
      }
      return shapes.join(", ");
    },
  };
}

/** Bytes of a SOCKS5 proxy's answers (RFC 1928, RFC 1929) when all went well. */
function answerLength(bytes: Uint8Array): number {
  const reply = bytes[1] === 2 ? 4 : 2;
  const type = bytes[reply + 3];
  const address = type === 1 ? 4 : type === 4 ? 16 : 1 + (bytes[reply + 4] ?? 0);
  return reply + 4 + address + 2;
}
