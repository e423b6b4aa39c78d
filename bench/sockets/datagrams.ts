/** One UDP socket in a process of its own: it counts what comes, and sends when told to. */
import dgram from "node:dgram";
import process from "node:process";
import { commands } from "./commands.ts";

interface Socket {
  readonly port: number;
  send(bytes: Uint8Array, port: number): Promise<unknown>;
}

interface Order {
  readonly port: number;
  readonly size: number;
  readonly ms: number;
  /** Sends under way at once. */
  readonly window: number;
}

const HOST = "127.0.0.1";
let received = 0;

function denoSocket(): Socket {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  (async () => {
    for (const buffer = new Uint8Array(65_536);; received++) await socket.receive(buffer);
  })();
  return {
    port: (socket.addr as Deno.NetAddr).port,
    send: (bytes, port) => socket.send(bytes, { transport: "udp", hostname: HOST, port }),
  };
}

async function nodeSocket(): Promise<Socket> {
  const socket = dgram.createSocket("udp4");
  socket.on("message", () => received++);
  await new Promise<void>((done) => socket.bind(0, HOST, done));
  return {
    port: socket.address().port,
    send: (bytes, port) =>
      new Promise<void>((done, fail) =>
        socket.send(bytes, port, HOST, (error) => error ? fail(error) : done())
      ),
  };
}

async function flood(socket: Socket, { port, size, ms, window }: Order): Promise<number> {
  const bytes = new Uint8Array(size);
  let sent = 0;
  for (const end = performance.now() + ms; performance.now() < end; sent += window) {
    const batch: Promise<unknown>[] = [];
    for (let i = 0; i < window; i++) batch.push(socket.send(bytes, port));
    await Promise.all(batch);
  }
  return sent;
}

const socket = Deno.args[0] === "deno" ? denoSocket() : await nodeSocket();
const say = (value: unknown) => console.log(JSON.stringify(value));
say({ port: socket.port });
for await (const line of commands()) {
  if (line === "stat") {
    const { user, system } = process.cpuUsage();
    say({ cpu: user + system, received });
  } else {
    const start = performance.now();
    const done = await flood(socket, JSON.parse(line));
    say({ done, ms: performance.now() - start });
  }
}
Deno.exit(0);
