/**
 * Relays that take their time: what a far-away peer looks like, where kernels have no netem.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { type Datagram, type UdpSocket, udpSocket } from "./datagrams.ts";
import {
  closeQuietly,
  expectLost,
  type TcpService,
  tcpService,
  writeAll,
} from "./local_services.ts";
import { pause } from "./patience.ts";

/** Milliseconds that everything takes, in each direction: so many, give or take. */
export interface Delay {
  readonly mean: number;
  readonly spread: number;
}

/** Bytes that one direction may hold. */
const MOST_HELD = 1 << 20;

/** Relays TCP: every chunk is late by a time of its own, and none overtakes another. */
export function slowRelay(to: Address, delay: Delay): TcpService {
  return tcpService(async (near, signal) => {
    const far = await Deno.connect({ ...to });
    const stop = () => closeQuietly(far);
    signal.addEventListener("abort", stop);
    const lost = (error: unknown) => {
      closeQuietly(near);
      closeQuietly(far);
      expectLost(error);
    };
    await Promise.all([
      passLate(near, far, delay).catch(lost),
      passLate(far, near, delay).catch(lost),
    ]);
    signal.removeEventListener("abort", stop);
    closeQuietly(far);
  });
}

/** Reads on while chunks wait; ends when the last one and the end have been passed on. */
async function passLate(from: Deno.TcpConn, to: Deno.TcpConn, delay: Delay): Promise<void> {
  let held = 0;
  let last: Promise<void> = Promise.resolve();
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await from.read(buffer);
    const bytes = count === null ? null : buffer.slice(0, count);
    const before = last;
    const due = pause(late(delay));
    last = (async () => {
      await due;
      await before;
      if (bytes === null) return await to.closeWrite();
      await writeAll(to, bytes);
      held -= bytes.length;
    })();
    // Looked at below; until then it counts as handled.
    last.catch(() => {});
    if (bytes === null) return await last;
    held += bytes.length;
    if (held > MOST_HELD) await last;
  }
}

/** Relays datagrams: each is late by a time of its own, so that many overtake others. */
export async function slowDatagrams(
  to: Address,
  delay: Delay,
): Promise<{ readonly address: Address; readonly overtaken: number } & AsyncDisposable> {
  const onward = new Map<string, Promise<UdpSocket>>();
  const pending = new Set<Promise<void>>();
  let sent = 0;
  let newest = 0;
  let overtaken = 0;
  const pass = (by: UdpSocket, payload: Uint8Array, at: Address) => {
    const number = sent++;
    const passing = (async () => {
      await pause(late(delay));
      if (number < newest) overtaken++;
      newest = Math.max(newest, number);
      // Closed meanwhile: a datagram that nobody waits for any more.
      await by.send(payload, at).catch(() => {});
    })().finally(() => pending.delete(passing));
    pending.add(passing);
  };
  const near = await udpSocket({}, async ({ payload, from }: Datagram, socket) => {
    const key = `${from.hostname} ${from.port}`;
    const back = ({ payload }: Datagram) => pass(socket, payload, from);
    const far = onward.get(key) ?? udpSocket({}, back);
    onward.set(key, far);
    pass(await far, payload, to);
  });
  return {
    address: near.address,
    get overtaken() {
      return overtaken;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pending);
      for (const far of onward.values()) await (await far)[Symbol.asyncDispose]();
      await near[Symbol.asyncDispose]();
    },
  };
}

function late({ mean, spread }: Delay): number {
  return mean + spread * (2 * Math.random() - 1);
}
