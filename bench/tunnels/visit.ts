/**
 * One visitor of the web server behind a tunnel.
 *
 * @module
 */

import { soon } from "../../tests/support/patience.ts";

const REQUEST = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

/** Sends a request and waits for the reply, for two seconds; the connection stays open. */
export async function visit(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const exchange = async () => {
      await connection.write(REQUEST);
      const buffer = new Uint8Array(1024);
      const length = await connection.read(buffer) ?? 0;
      const reply = new TextDecoder().decode(buffer.subarray(0, length));
      if (!reply.startsWith("HTTP/1.1 200 ")) throw new Error(`no reply but '${reply}'`);
    };
    await soon("a reply", exchange(), 2000);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The same, and leaves. */
export async function visitOnce(port: number): Promise<void> {
  (await visit(port)).close();
}
