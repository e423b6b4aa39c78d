/**
 * Ports for programs that cannot be told to take any free one.
 *
 * @module
 */

/** Below the range from which systems take the ports of outgoing connections. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A port that is free for TCP and UDP at this moment. Another program may be faster: try again. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * Where one test listens and no other, with any port: what is closed there stays closed, while a
 * port of 127.0.0.1 may be given to the next one that asks.
 */
export const APART = Deno.build.os === "linux" ? "127.0.0.77:0" : "127.0.0.1:0";
