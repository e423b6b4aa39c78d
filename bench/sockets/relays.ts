/**
 * The candidate relays. Each accepts on a free port, dials the target and copies both ways.
 *
 * One of them, `loop:64`, is more than a candidate: it is the fixed measure that the tunnel's speed
 * is held against (tests/speed). **It is frozen**: `loop` and what it runs on, `denoRelay` and
 * `writeAll`, are never tuned, least of all together with the tunnel, or the comparison would say
 * nothing any more. What looks faster gets a name of its own.
 */
import net from "node:net";
import { Buffers, type Policy, ReadBuffer } from "./buffers.ts";

const HOST = "127.0.0.1";

/**
 * Candidates by name: `loop:KIB`, `node:pipe`, `node:manual`, `pipeTo`, and behind the contract
 * `async|then|raw:KIB-KIB-…:SHRINK:SPARE_KIB:LARGEST` (see Policy).
 */
export function startRelay(spec: string, target: number): Promise<number> {
  const [kind = "", ...rest] = spec.split(":");
  if (kind === "node") return nodeRelay(rest[0] ?? "", target);
  return Promise.resolve(denoRelay(target, pairing(kind, rest)));
}

type Pair = (a: Deno.TcpConn, b: Deno.TcpConn) => Promise<unknown>;

function pairing(kind: string, rest: string[]): Pair {
  if (kind === "loop") {
    const size = Number(rest[0]) * 1024;
    return (a, b) => Promise.all([loop(a, b, size), loop(b, a, size)]);
  }
  if (kind === "pipeTo") {
    return (a, b) => Promise.all([a.readable.pipeTo(b.writable), b.readable.pipeTo(a.writable)]);
  }
  const [sizes = "", shrink, spare, largest] = rest;
  const buffers = new Buffers({
    sizes: sizes.split("-").map((kib) => Number(kib) * 1024),
    shrink: shrink as Policy["shrink"],
    spare: Number(spare) * 1024,
    largest: Number(largest ?? Infinity),
  });
  if (kind === "raw") {
    return (a, b) => Promise.all([rawCopy(a, b, buffers), rawCopy(b, a, buffers)]);
  }
  const Kind = { async: AsyncConnection, then: ThenConnection }[kind];
  if (Kind === undefined) throw new Error(`no such candidate: ${kind}`);
  return (a, b) => {
    const [x, y] = [new Kind(a, buffers), new Kind(b, buffers)];
    return Promise.all([copy(x, y), copy(y, x)]);
  };
}

function denoRelay(target: number, pair: Pair): number {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const serve = async (a: Deno.TcpConn) => {
    try {
      a.setNoDelay();
      const b = await Deno.connect({ hostname: HOST, port: target });
      b.setNoDelay();
      await pair(a, b).catch(() => {});
      close(b);
    } finally {
      close(a);
    }
  };
  (async () => {
    for (;;) serve(await listener.accept()).catch(() => {});
  })();
  return listener.addr.port;
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // pipeTo has closed it already
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let n = await to.write(bytes); n < bytes.length; n += await to.write(bytes.subarray(n)));
}

/** Read, write, again. Frozen: see the module. */
async function loop(from: Deno.TcpConn, to: Deno.TcpConn, size: number): Promise<void> {
  const buffer = new Uint8Array(size);
  for (;;) {
    const n = await from.read(buffer);
    if (n === null) break;
    await writeAll(to, buffer.subarray(0, n));
  }
  await to.closeWrite();
}

interface Connection {
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
}

async function copy(from: Connection, to: Connection): Promise<void> {
  for (;;) {
    const bytes = await from.read();
    if (bytes === null) break;
    await to.write(bytes);
  }
  await to.closeWrite();
}

class AsyncConnection implements Connection {
  #conn: Deno.TcpConn;
  #buffer: ReadBuffer;
  constructor(conn: Deno.TcpConn, buffers: Buffers) {
    this.#conn = conn;
    this.#buffer = new ReadBuffer(buffers);
  }
  async read(): Promise<Uint8Array | null> {
    const n = await this.#conn.read(this.#buffer.next());
    if (n !== null) return this.#buffer.filled(n);
    this.#buffer.release();
    return null;
  }
  async write(bytes: Uint8Array): Promise<void> {
    let n = await this.#conn.write(bytes);
    while (n < bytes.length) n += await this.#conn.write(bytes.subarray(n));
  }
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }
}

/** No async frame of its own: one `then` with a callback made once for each connection. */
class ThenConnection implements Connection {
  #conn: Deno.TcpConn;
  #buffer: ReadBuffer;
  #writing: Uint8Array = new Uint8Array();
  constructor(conn: Deno.TcpConn, buffers: Buffers) {
    this.#conn = conn;
    this.#buffer = new ReadBuffer(buffers);
  }
  read(): Promise<Uint8Array | null> {
    return this.#conn.read(this.#buffer.next()).then(this.#onRead);
  }
  #onRead = (n: number | null): Uint8Array | null => {
    if (n !== null) return this.#buffer.filled(n);
    this.#buffer.release();
    return null;
  };
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = bytes;
    return this.#conn.write(bytes).then(this.#onWritten);
  }
  #onWritten = (n: number): void | Promise<void> => {
    if (n < this.#writing.length) return writeAll(this.#conn, this.#writing.subarray(n));
  };
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }
}

/** The pump knows the buffer: the promises of Deno.Conn reach it untouched. */
async function rawCopy(from: Deno.TcpConn, to: Deno.TcpConn, buffers: Buffers): Promise<void> {
  const buffer = new ReadBuffer(buffers);
  for (;;) {
    const n = await from.read(buffer.next());
    if (n === null) break;
    const bytes = buffer.filled(n);
    const written = await to.write(bytes);
    if (written < n) await writeAll(to, bytes.subarray(written));
  }
  buffer.release();
  await to.closeWrite();
}

async function nodeRelay(how: string, target: number): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (a) => {
    const b = net.connect({ host: HOST, port: target, allowHalfOpen: true, noDelay: true });
    const abort = () => {
      a.destroy();
      b.destroy();
    };
    a.on("error", abort);
    b.on("error", abort);
    if (how === "pipe") {
      a.pipe(b);
      b.pipe(a);
    } else {
      manual(a, b);
      manual(b, a);
    }
  });
  await new Promise<void>((done) => server.listen(0, HOST, done));
  return (server.address() as net.AddressInfo).port;
}

function manual(from: net.Socket, to: net.Socket): void {
  from.on("data", (bytes) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
}
