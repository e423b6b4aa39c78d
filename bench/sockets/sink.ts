/** The far end: the first byte of a connection says what it does with the rest. */

const HOST = "127.0.0.1";
export const MESSAGE = 100;
/** Bytes after which a held stream is acknowledged with one byte. */
export const HELD = 4 << 20;

/** Ends a bulk transfer: half-closing would do, but pipeTo does not survive it. */
export const LAST = 1;

/** Length of the longer replies. */
export const LONG = 4096;

/** E, L: a reply, short or long, for each request. B: one byte after LAST. H: one byte after HELD bytes. */
export function startSink(): number {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  (async () => {
    for (;;) serve(await listener.accept()).catch(() => {});
  })();
  return listener.addr.port;
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  using _ = conn;
  conn.setNoDelay();
  const first = new Uint8Array(1);
  if (await conn.read(first) === null) return;
  const mode = String.fromCharCode(first[0] ?? 0);
  const asks = mode === "E" || mode === "L";
  const buffer = new Uint8Array(asks ? 1024 : 256 << 10);
  const reply = new Uint8Array(mode === "L" ? LONG : MESSAGE);
  for (let total = asks ? 1 : 0;;) {
    const n = await conn.read(buffer);
    if (n === null) break;
    const before = total;
    total += n;
    if (asks) {
      const owed = Math.floor(total / MESSAGE) - Math.floor(before / MESSAGE);
      for (let i = 0; i < owed; i++) await conn.write(reply);
    } else if (mode === "B" && buffer[n - 1] === LAST) await conn.write(first);
    else if (mode === "H" && before < HELD && total >= HELD) await conn.write(first);
  }
}
