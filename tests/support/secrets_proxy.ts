/**
 * A proxy that wants a password and takes none.
 *
 * @module
 */

import { closeQuietly, expectLost } from "./local_services.ts";

/** One that runs. */
export interface FakeProxy extends AsyncDisposable {
  readonly port: number;
}

/** Starts it on a free port. */
export function fakeProxy(scheme: "http" | "socks5"): FakeProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await refuse(connection, scheme).catch(expectLost);
      closeQuietly(connection);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function refuse(connection: Deno.TcpConn, scheme: "http" | "socks5"): Promise<void> {
  const buffer = new Uint8Array(4096);
  await connection.read(buffer);
  if (scheme === "http") {
    const head = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n";
    await connection.write(new TextEncoder().encode(head));
    return;
  }
  await connection.write(Uint8Array.of(5, 2));
  await connection.read(buffer);
  await connection.write(Uint8Array.of(1, 1));
}
