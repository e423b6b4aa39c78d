/**
 * What a socket does at its edges, one line a fact; no measurement.
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 --allow-run=ss bench/sockets/facts.ts
 *
 * The system calls behind it: strace -f -e trace=setsockopt,shutdown,close in front of that.
 */
import dgram from "node:dgram";
import net from "node:net";

const HOST = "127.0.0.1";
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const bytes = (n: number) => new Uint8Array(n);

async function say(what: string, outcome: Promise<unknown>): Promise<void> {
  const pending = sleep(1000).then(() => "still pending after 1 s");
  const settled = outcome.then(
    (value) => value === null ? "null" : `ok ${value ?? ""}`,
    (error) => `${error.name} ${error.code ?? ""} (${error.message})`,
  );
  console.log(`${what}: ${await Promise.race([settled, pending])}`);
}

const listener = Deno.listen({ hostname: HOST, port: 0 });

async function pair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  const accepted = listener.accept();
  return [await Deno.connect({ hostname: HOST, port: listener.addr.port }), await accepted];
}

async function nodePair(): Promise<[net.Socket, Deno.TcpConn]> {
  const accepted = listener.accept();
  const socket = net.connect({ host: HOST, port: listener.addr.port });
  return [socket, await accepted];
}

async function floodUntilError(conn: Deno.TcpConn): Promise<never> {
  for (const chunk = bytes(1 << 20);;) await conn.write(chunk);
}

async function keepalive(): Promise<void> {
  const [deno, accepted] = await pair();
  const [node] = await nodePair();
  deno.setKeepAlive(true);
  node.setKeepAlive(true, 20_000);
  await sleep(50);
  const { stdout } = await new Deno.Command("ss", { args: ["-Htno"] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  for (const [name, port] of [["Deno.Conn", deno.localAddr.port], ["node", node.localPort]]) {
    const line = lines.find((line) => line.includes(`${HOST}:${port} `) && line.includes("timer"));
    console.log(`keepalive of ${name}: ${line?.match(/timer:\S+/)?.[0]}`);
  }
  for (const socket of [deno, accepted]) socket.close();
  node.destroy();
}

async function closing(): Promise<void> {
  let [a, b] = await pair();
  const [read, write] = [a.read(bytes(9)), floodUntilError(a)];
  const half = sleep(200).then(() => a.closeWrite());
  await say("closeWrite while a write is pending", half);
  a.close();
  await say("pending read, closed", read);
  await say("pending write, closed", write);
  await say("read after close", a.read(bytes(9)));
  await say("second close", Promise.resolve().then(() => a.close()));

  [a, b] = await pair();
  await b.write(bytes(9));
  await sleep(50);
  a.close();
  await sleep(50);
  await say("peer of a close with unread bytes reads", b.read(bytes(9)));
  await say("peer of a close with unread bytes writes", b.write(bytes(9)));

  const [node, c] = await nodePair();
  const pending = c.read(bytes(9));
  await sleep(50);
  node.resetAndDestroy();
  await say("read, peer reset by node:net", pending);
  await say("closeWrite after a reset", c.closeWrite());

  [a, b] = await pair();
  await a.closeWrite();
  for await (const _ of b.readable);
  await say("write after .readable has ended", b.write(bytes(9)));

  const accept = listener.accept();
  await sleep(10);
  listener.close();
  await say("pending accept, closed", accept);
}

async function datagrams(): Promise<void> {
  const deno = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  const to = (port: number) => ({ transport: "udp", hostname: HOST, port }) as const;
  const node = dgram.createSocket("udp4");
  await new Promise<void>((done) => node.bind(0, HOST, done));
  const send = (n: number, port: number) =>
    new Promise((done, fail) =>
      node.send(bytes(n), port, HOST, (e, sent) => e ? fail(e) : done(sent))
    );
  for (const n of [0, 65_507]) {
    const got = new Promise((done) => node.once("message", (message) => done(message.length)));
    await deno.send(bytes(n), to(node.address().port));
    await say(`listenDatagram sends ${n}, dgram receives`, got);
    const received = deno.receive(bytes(65_536)).then(([message]) => message.length);
    await send(n, (deno.addr as Deno.NetAddr).port);
    await say(`dgram sends ${n}, listenDatagram receives`, received);
  }
  await say("listenDatagram sends 65,508", deno.send(bytes(65_508), to(9)));
  await say("dgram sends 65,508", send(65_508, 9));
  await say("listenDatagram sends to port 0", deno.send(bytes(1), to(0)));
  await say("dgram sends to port 0", send(1, 0));
}

await keepalive();
await closing();
await datagrams();
Deno.exit(0);
