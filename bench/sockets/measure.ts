/** One candidate, once: its two relays between the load generator and the sink. */
import type { Job, Outcome } from "./load.ts";

export type Figures = Record<string, number>;

/** A process of the probe; disposing of it ends it. */
export class Child implements AsyncDisposable {
  port = 0;
  #process: Deno.ChildProcess;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(script: string, args: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-config", "--unstable-net", "--allow-net=127.0.0.1"],
        new URL(script, import.meta.url).href,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(script: string, ...args: string[]): Promise<Child> {
    const child = new Child(script, args);
    child.port = (await child.#answer<{ port: number }>()).port;
    return child;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async ask<T = Outcome>(what: object | "stat"): Promise<T> {
    const line = typeof what === "string" ? what : JSON.stringify(what);
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    return await this.#answer<T>();
  }

  async #answer<T>(): Promise<T> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("a process of the probe ended early");
      this.#text += value;
    }
    const at = this.#text.indexOf("\n");
    const line = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + 1);
    return JSON.parse(line);
  }

  /** RssAnon and VmRSS in MB. */
  async memory(): Promise<{ anon: number; rss: number }> {
    const { stdout } = await new Deno.Command("grep", {
      args: ["-E", "^(VmRSS|RssAnon)", `/proc/${this.pid}/status`],
    }).output();
    const text = new TextDecoder().decode(stdout);
    const mb = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
    return { anon: mb("RssAnon"), rss: mb("VmRSS") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel();
    await this.#process.status;
  }
}

export interface Bench {
  readonly load: Child;
  readonly sink: Child;
  /** Scales every duration; 1 is a full run. */
  readonly scale: number;
}

/** Two relays in a row, the second in front of the sink; the first is where to connect. */
export async function startRelays(
  spec: string,
  sink: Child,
): Promise<readonly [Child, Child]> {
  const b = await Child.start("child.ts", "relay", spec, String(sink.port));
  return [await Child.start("child.ts", "relay", spec, String(b.port)), b];
}

/** Rates and their cost, over a pair of relays made for this and warmed up. */
export async function rates(spec: string, { load, sink, scale }: Bench): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const both = await startRelays(spec, sink);
  for (const relay of both) stack.use(relay);
  const job = async (kind: Job["kind"], count: number, ms: number) => {
    const cpu = async () =>
      (await Promise.all(both.map((r) => r.ask<{ cpu: number }>("stat")))).reduce(
        (sum, stat) => sum + stat.cpu,
        0,
      );
    const before = await cpu();
    const { done, ms: took } = await load.ask({ kind, port: both[0].port, count, ms: ms * scale });
    return { perSecond: done / took * 1000, cost: (await cpu() - before) / done };
  };
  await job("requests", 64, 300);
  await job("bulk", 1, 200);
  const bulk = await job("bulk", 1, 700);
  const requests = await job("requests", 64, 700);
  const long = await job("long", 64, 500);
  const connects = await job("connects", 32, 500);
  return {
    "Gbit/s": bulk.perSecond * 8 / 1e9,
    "CPU s/GB": bulk.cost * 1e3,
    "req/s": requests.perSecond,
    "CPU µs/req": requests.cost,
    "4K req/s": long.perSecond,
    "CPU µs/4K": long.cost,
    "conn/s": connects.perSecond,
    "CPU µs/conn": connects.cost,
  };
}

/** What relay A holds: for 1,000 idle pairs, and for 100 streams whose bulk has stopped. */
export async function memory(spec: string, { load, sink, scale }: Bench): Promise<Figures> {
  const figures: Figures = {};
  for (const [kind, count] of [["idle", 1000], ["hold", 100]] as const) {
    await using stack = new AsyncDisposableStack();
    const both = await startRelays(spec, sink);
    for (const relay of both) stack.use(relay);
    const [a] = both;
    await load.ask({ kind: "requests", port: a.port, count: 8, ms: 100 });
    const before = await a.memory();
    await load.ask({ kind, port: a.port, count, ms: 0 });
    await new Promise((done) => setTimeout(done, 500 * scale));
    const after = await a.memory();
    figures[`${kind} anon MB`] = after.anon - before.anon;
    figures[`${kind} RSS MB`] = after.rss - before.rss;
    await load.ask({ kind: "drop", port: 0, count: 0, ms: 0 });
  }
  return figures;
}

/** Receiving and sending, each kind of socket against the same peer. */
export async function datagrams(kind: string, size: number, scale: number): Promise<Figures> {
  await using peer = await Child.start("datagrams.ts", "deno");
  await using socket = await Child.start("datagrams.ts", kind);
  const stat = () => socket.ask<{ cpu: number; received: number }>("stat");
  const flood = (from: Child, to: Child, window: number, ms: number) =>
    from.ask({ port: to.port, size, ms: ms * scale, window });
  await flood(peer, socket, 32, 200);
  await flood(socket, peer, 32, 200);
  const before = await stat();
  const { ms } = await flood(peer, socket, 32, 500);
  const middle = await stat();
  const sent = await flood(socket, peer, 32, 500);
  const after = await stat();
  const received = middle.received - before.received;
  return {
    "received/s": received / ms * 1000,
    "CPU µs/received": (middle.cpu - before.cpu) / received,
    "sent/s": sent.done / sent.ms * 1000,
    "CPU µs/sent": (after.cpu - middle.cpu) / sent.done,
  };
}
