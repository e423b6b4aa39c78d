/**
 * A long line as a relay over TCP: `late_relay.ts PORT TO MS`. Whatever comes leaves so many
 * milliseconds later, in each direction; and as over a long line, a connection takes a round trip
 * before its first byte is sent. A process of its own, so that it takes no time from others.
 *
 * @module
 */

import { LateQueue } from "./late_queue.ts";

/** Bytes that one direction of a connection may have on its way: 2.7 Gbit/s at 25 ms. */
const MOST_HELD = 8 << 20;
/** Bytes of a read. */
const READ = 1 << 16;

const HOSTNAME = "127.0.0.1";
const [port = 0, to = 0, delay = 0] = Deno.args.map(Number);

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Takes a connection to its other end. */
async function relay(near: Deno.TcpConn): Promise<void> {
  using _near = closing(near);
  near.setNoDelay(true);
  await pause(delay);
  const far = await Deno.connect({ hostname: HOSTNAME, port: to });
  using _far = closing(far);
  far.setNoDelay(true);
  // One that breaks takes the other direction with it.
  const lost = () => [near, far].forEach(close);
  const there = async () => {
    await pause(delay); // until the near side knows that it is connected
    await pass(near, far);
  };
  await Promise.all([there().catch(lost), pass(far, near).catch(lost)]);
}

/** Reads on while bytes are on their way; ends when the end has arrived. */
async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const queue = new LateQueue(MOST_HELD);
  const read = async () => {
    const buffer = new Uint8Array(READ);
    for (;;) {
      const count = await from.read(buffer);
      const due = performance.now() + delay;
      await queue.give({ due, bytes: count === null ? null : buffer.slice(0, count) });
      if (count === null) return;
    }
  };
  const write = async () => {
    for (;;) {
      for (const { bytes, due } of await queue.take()) {
        const early = due - performance.now();
        if (early > 0) await pause(early);
        if (bytes === null) return await to.closeWrite();
        for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
        queue.arrived(bytes.length);
      }
    }
  };
  await Promise.all([read(), write()]);
}

function closing(connection: Deno.TcpConn): Disposable {
  return { [Symbol.dispose]: () => close(connection) };
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}

const listener = Deno.listen({ hostname: HOSTNAME, port });
console.log("listening");
for await (const near of listener) {
  // A server that is not there refuses, and so does the relay.
  relay(near).catch(() => {});
}
