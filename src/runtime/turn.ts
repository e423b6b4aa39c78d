/**
 * Letting everybody else have a turn.
 *
 * @module
 */

const NOTHING = new Uint8Array(0);

/**
 * Resolves when the runtime has looked at all of its sockets once.
 *
 * A read that finds bytes waiting and a write that finds room resolve without the event loop, and
 * neither `setImmediate` nor a microtask has Deno 2.9 ask the system which other sockets are ready:
 * a stream whose ends are both fast had a process for itself for up to 100 ms. A digest is made on
 * another thread, for which the loop must wait as it waits for sockets; it costs about 15 µs, where
 * a timer costs a millisecond.
 */
export async function othersTurn(): Promise<void> {
  await crypto.subtle.digest("SHA-256", NOTHING);
}
