/**
 * The web server behind every tunnel: nginx with one small reply, and a large one.
 *
 * @module
 */

import { join } from "node:path";
import { nginxConfig } from "../../tests/support/nginx_config.ts";
import { eventually } from "../../tests/support/patience.ts";
import { freePort } from "../../tests/support/ports.ts";
import { isBound } from "./proc.ts";
import type { Processes } from "./processes.ts";
import { visitOnce } from "./visit.ts";

/** Connections that it may have. */
const CONNECTIONS = 16_384;
/** Bytes of its reply, without the header. */
const REPLY = 200;

/** Where the large reply is, and its bytes, without the header. */
export const BULK_PATH = "/bulk";
/** See {@linkcode BULK_PATH}. */
export const BULK_BYTES = 64 << 20;

/** A web server that runs. */
export interface Web extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts it on a free port of 127.0.0.1; resolves when it is there. With `inside`, what a command
 * begins with, it is started in another network.
 */
export async function startWeb(
  processes: Processes,
  program: string,
  inside: readonly string[] = [],
): Promise<Web> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "bench-nginx-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const config = join(folder, "nginx.conf");
  {
    using bulk = await Deno.open(join(folder, "bulk"), { write: true, createNew: true });
    await bulk.truncate(BULK_BYTES);
  }
  await Deno.writeTextFile(config, nginxConfig(folder, httpOf(port, folder), CONNECTIONS));
  const nginx = stack.use(
    processes.start([...inside, program, "-e", "stderr", "-p", folder, "-c", config]),
  );
  const replies = inside.length === 0
    ? () => visitOnce(port).then(() => true, () => false)
    : () => isBound(processes, "tcp", port, inside);
  await eventually("nginx to reply", async () => nginx.over || await replies(), Boolean);
  if (nginx.over) throw new Error(`nginx ended: ${nginx.text.trim()}`);
  const owned = stack.move();
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Connections stay as long as their visitors want. */
function httpOf(port: number, folder: string): string {
  return `keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      default_type text/plain;
      return 200 "${"0123456789".repeat(REPLY / 10)}";
    }
    location = ${BULK_PATH} {
      root ${folder};
    }
  }`;
}
