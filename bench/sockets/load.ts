/** The load generator: what one command from the parent asks for. */
import { HELD, LAST, LONG, MESSAGE } from "./sink.ts";

export interface Job {
  readonly kind: "bulk" | "requests" | "long" | "connects" | "idle" | "again" | "hold" | "drop";
  readonly port: number;
  readonly ms: number;
  readonly count: number;
}

export interface Outcome {
  /** Bytes for bulk, otherwise requests or connections. */
  readonly done: number;
  readonly ms: number;
}

const HOST = "127.0.0.1";
const open: Deno.TcpConn[] = [];

export async function run(job: Job): Promise<Outcome> {
  const start = performance.now();
  const end = start + job.ms;
  const each = (work: () => Promise<number>) =>
    Promise.all(Array.from({ length: job.count }, work)).then((a) => a.reduce((x, y) => x + y, 0));
  const work: Record<Job["kind"], () => Promise<number>> = {
    bulk: () => each(() => bulk(job.port, end)),
    requests: () => each(() => requests(job.port, end, "E", MESSAGE)),
    long: () => each(() => requests(job.port, end, "L", LONG)),
    connects: () => each(() => connects(job.port, end)),
    idle: () => idle(job.port, job.count),
    again: () => again(end),
    hold: () => each(() => hold(job.port)),
    drop: () => {
      for (const conn of open.splice(0)) conn.close();
      return Promise.resolve(0);
    },
  };
  const done = await work[job.kind]();
  return { done, ms: performance.now() - start };
}

async function dial(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: HOST, port });
  conn.setNoDelay();
  return conn;
}

async function send(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let n = 0; n < bytes.length;) n += await conn.write(bytes.subarray(n));
}

async function exchange(conn: Deno.TcpConn, request: Uint8Array, reply: Uint8Array): Promise<void> {
  await conn.write(request);
  for (let n = 0; n < reply.length;) {
    const got = await conn.read(reply);
    if (got === null) throw new Error("the relay ended early");
    n += got;
  }
}

const request = (mode = "E") => new Uint8Array(MESSAGE).fill(mode.charCodeAt(0));

async function bulk(port: number, end: number): Promise<number> {
  using conn = await dial(port);
  const chunk = new Uint8Array(256 << 10).fill("B".charCodeAt(0));
  let total = 0;
  for (; performance.now() < end; total += chunk.length) await send(conn, chunk);
  await conn.write(new Uint8Array([LAST]));
  if (await conn.read(chunk) !== 1) throw new Error("bulk bytes were lost");
  return total;
}

async function requests(port: number, end: number, mode: string, size: number): Promise<number> {
  using conn = await dial(port);
  return await repeat(conn, end, request(mode), new Uint8Array(size));
}

async function repeat(
  conn: Deno.TcpConn,
  end: number,
  ask: Uint8Array,
  reply: Uint8Array,
): Promise<number> {
  let total = 0;
  for (; performance.now() < end; total++) await exchange(conn, ask, reply);
  return total;
}

async function connects(port: number, end: number): Promise<number> {
  const [ask, reply] = [request(), new Uint8Array(MESSAGE)];
  let total = 0;
  for (; performance.now() < end; total++) {
    using conn = await dial(port);
    await exchange(conn, ask, reply);
  }
  return total;
}

/** A hundred at a time: a burst of a thousand overflows the backlog and some are reset. */
async function idle(port: number, count: number): Promise<number> {
  const one = async () => {
    const conn = await dial(port);
    open.push(conn);
    await exchange(conn, request(), new Uint8Array(MESSAGE));
  };
  for (let n = 0; n < count; n += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - n) }, one));
  }
  return count;
}

/** Short requests over the connections that `idle` has opened: what opening costs is not in it. */
async function again(end: number): Promise<number> {
  const totals = await Promise.all(
    open.map((conn) => repeat(conn, end, request(), new Uint8Array(MESSAGE))),
  );
  return totals.reduce((sum, total) => sum + total, 0);
}

/** Sends exactly what a held stream is acknowledged for, in 64 KiB writes, and stays open. */
async function hold(port: number): Promise<number> {
  const conn = await dial(port);
  open.push(conn);
  const chunk = new Uint8Array(64 << 10).fill("H".charCodeAt(0));
  await conn.write(chunk.subarray(0, 1));
  for (let n = 0; n < HELD; n += chunk.length) await send(conn, chunk);
  await conn.read(chunk);
  return 1;
}
