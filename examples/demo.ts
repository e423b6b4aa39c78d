/**
 * A service behind a tunnel, all on this machine: a small web server, a rathole server and a
 * rathole client, on free ports, with no permission but to use 127.0.0.1.
 *
 * `deno task demo` shows it until Ctrl-C; `deno task demo --once` fetches one page and ends.
 *
 * @module
 */

import { type Server, startClient, startServer } from "../mod.ts";
import { demoPage } from "./demo_page.ts";

const SERVICE = "web";
const TOKEN = crypto.randomUUID();
const LOCAL = "127.0.0.1:0";

const [option, ...rest] = Deno.args;
const once = option === "--once";
if ((option !== undefined && !once) || rest.length > 0) {
  write("Usage: deno task demo [--once]\n");
  Deno.exit(2);
}
const interactive = Deno.stdout.isTerminal() && !once;

await using service = startService();
await using server = await startServer({
  bind_addr: LOCAL,
  default_token: TOKEN,
  services: { [SERVICE]: { bind_addr: LOCAL } },
});
const clientWasOffered = serviceIsUp(server);
await using _client = await startClient({
  remote_addr: hostPort(server.address),
  default_token: TOKEN,
  services: { [SERVICE]: { local_addr: hostPort(service.addr) } },
});
const url = `http://${hostPort(await clientWasOffered)}/`;

print("A service behind a tunnel, all on this machine:");
print("");
print(`  the service, out of sight   http://${hostPort(service.addr)}/`);
print(`  the tunnel's server         ${hostPort(server.address)}`);
print(`  what visitors open          ${url}`);
print("");
const reply = await fetch(url);
print(`Fetched through the tunnel: ${reply.status}, ${(await reply.text()).length} characters.`);

if (!once) {
  print(`\nOpen ${url} in a browser. Ctrl-C ends the demo.\n`);
  await showCounters(server, interrupted());
  print("\nThe demo has ended.");
}

/** A web server that knows nothing of tunnels. */
function startService(): Deno.HttpServer<Deno.NetAddr> {
  let visits = 0;
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(options, (request, info) => {
    if (new URL(request.url).pathname !== "/") return new Response("Not found\n", { status: 404 });
    const page = demoPage({
      visit: ++visits,
      asked: request.headers.get("host") ?? "",
      connectedFrom: hostPort(info.remoteAddr),
    });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  });
}

/** Resolves with where visitors connect, once they can. */
async function serviceIsUp(server: Server): Promise<Address> {
  for await (const event of server.events()) {
    if (event.type === "service-listening") return event.address;
  }
  throw new Error("the server ended before the service was up");
}

/** Prints the service's counters whenever they have changed, until the signal is aborted. */
async function showCounters(server: Server, signal: AbortSignal): Promise<void> {
  let shown = "";
  while (!signal.aborted) {
    const [status] = server.status().services;
    const line = status === undefined
      ? ""
      : `visitors ${status.visitors} now, ${status.visitorsTotal} in all · ` +
        `${status.bytesFromVisitors} bytes in, ${status.bytesToVisitors} bytes out`;
    if (line !== shown) {
      if (interactive) write(`\r\x1b[K${line}`);
      else print(line);
    }
    shown = line;
    await pause(250, signal);
  }
  if (interactive) print("");
}

/** Aborted by Ctrl-C, or a polite request to end. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const end = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, end);
    controller.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, end);
  return controller.signal;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

function hostPort({ hostname, port }: Address): string {
  return `${hostname}:${port}`;
}

function print(line: string): void {
  write(`${line}\n`);
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
