/**
 * The wire, spoken by hand: clients and servers that say what no program of good will says.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { createNonce, serviceDigest, sessionKey } from "../../src/protocol/auth.ts";
import {
  type Ack,
  decodeAck,
  decodeHello,
  encodeAck,
  encodeControlCommand,
  encodeDataCommand,
  encodeHello,
  HELLO_LENGTH,
} from "../../src/protocol/messages.ts";
import { writeUdpFrame } from "../../src/protocol/udp_frame.ts";
import { parseIp } from "../../src/runtime/address.ts";
import {
  closeQuietly,
  readBytes,
  type TcpService,
  tcpService,
  visit,
  writeAll,
} from "./local_services.ts";
import { TOKEN } from "./tunnel.ts";

/** What a control channel of rathole 0.5.0 starts with. */
export async function controlHello(service: string): Promise<Uint8Array> {
  return encodeHello({ kind: "control", digest: await serviceDigest(service) });
}

/** What a data channel starts with. */
export function dataHello(key: Uint8Array): Uint8Array {
  return encodeHello({ kind: "data", digest: key });
}

/** A client that has authenticated and does nothing by itself. */
export interface RawClient extends Disposable {
  readonly control: Deno.TcpConn;
  readonly key: Uint8Array;
  readonly ack: Ack;
  /** Opens a data channel, asked for or not. */
  openDataChannel(): Promise<Deno.TcpConn>;
  /** The next command on the control channel. */
  command(): Promise<Uint8Array>;
}

/** Introduces itself as rathole 0.5.0 does. */
export async function rawClient(
  server: Address,
  service = "it",
  token = TOKEN,
): Promise<RawClient> {
  const control = await visit(server);
  let key: Uint8Array;
  let ack: Ack;
  try {
    await writeAll(control, await controlHello(service));
    const { digest: nonce } = decodeHello(await readBytes(control, HELLO_LENGTH));
    key = await sessionKey(token, nonce);
    await writeAll(control, key);
    ack = decodeAck(await readBytes(control, 4));
  } catch (error) {
    closeQuietly(control);
    throw error;
  }
  return {
    control,
    key,
    ack,
    async openDataChannel() {
      const channel = await visit(server);
      await writeAll(channel, dataHello(key));
      return channel;
    },
    command: () => readBytes(control, 4),
    [Symbol.dispose]: () => closeQuietly(control),
  };
}

/** What a hand-made server does with an authenticated client. */
export interface RawSession {
  readonly control: Deno.TcpConn;
  /** Ends when the test does. */
  readonly signal: AbortSignal;
  /** Asks for data channels. */
  create(count?: number): Promise<void>;
  /** The next data channel that the client opens, its hello read. */
  dataChannel(): Promise<Deno.TcpConn>;
  /** The next carrier that the client opens, its hello read. */
  carrier(): Promise<Deno.TcpConn>;
}

/** A server that lets every client in and then does as it likes. */
export interface RawServer extends TcpService {
  /** Data channels that were opened. */
  readonly dataChannels: number;
  /** Carriers that were opened. */
  readonly carriers: number;
}

/** Connections of a kind, for whoever wants the next one. */
class Arrivals {
  count = 0;
  readonly #waiting: Deno.TcpConn[] = [];
  readonly #takers: ((connection: Deno.TcpConn) => void)[] = [];

  came(connection: Deno.TcpConn): void {
    this.count++;
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(connection);
    else taker(connection);
  }

  next(): Promise<Deno.TcpConn> {
    const connection = this.#waiting.shift();
    if (connection !== undefined) return Promise.resolve(connection);
    const { promise, resolve } = Promise.withResolvers<Deno.TcpConn>();
    this.#takers.push(resolve);
    return promise;
  }
}

/** Starts one; `script` is run for every control channel, which is closed when it resolves. */
export function rawServer(
  script: (session: RawSession) => Promise<void>,
  { marked = false, port = 0 } = {},
): RawServer {
  const data = new Arrivals();
  const carriers = new Arrivals();
  const service = tcpService(async (connection, signal) => {
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve())
    );
    const { kind } = decodeHello(await readBytes(connection, HELLO_LENGTH));
    if (kind !== "control") {
      (kind === "data" ? data : carriers).came(connection);
      return await stopped;
    }
    const random = crypto.getRandomValues(new Uint8Array(32));
    const digest = marked ? await createNonce() : random;
    await writeAll(connection, encodeHello({ kind: "control", digest }));
    await readBytes(connection, 32);
    await writeAll(connection, encodeAck("ok"));
    await script({
      control: connection,
      signal,
      async create(count = 1) {
        const command = encodeControlCommand("create-data-channel");
        const many = new Uint8Array(4 * count);
        for (let i = 0; i < count; i++) many.set(command, 4 * i);
        await writeAll(connection, many);
      },
      dataChannel: () => data.next(),
      carrier: () => carriers.next(),
    });
  }, { port });
  return {
    address: service.address,
    get accepted() {
      return service.accepted;
    },
    get dataChannels() {
      return data.count;
    },
    get carriers() {
      return carriers.count;
    },
    stop: service.stop,
    [Symbol.asyncDispose]: service.stop,
  };
}

/** The command that pairs a data channel. */
export const forwardTcp: Uint8Array = encodeDataCommand("forward-tcp");
/** The same for datagrams. */
export const forwardUdp: Uint8Array = encodeDataCommand("forward-udp");

/** A datagram as it is framed on a data channel. */
export function udpFrame({ hostname, port }: Address, payload: Uint8Array): Uint8Array {
  const ip = parseIp(hostname);
  if (ip === null) throw new Error(`${hostname} is no IP address`);
  const frame = new Uint8Array(25 + payload.length);
  return frame.subarray(0, writeUdpFrame(frame, 0, ip, port, payload));
}

/** Waits for a signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
