/**
 * nginx in front of a server, as its users set it up.
 *
 * @module
 */

import { join } from "node:path";
import type { Address } from "../../mod.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { startChild } from "./child.ts";
import { accepting } from "./doors.ts";
import { installed, requireProgram } from "./installed.ts";
import { nginxConfig } from "./nginx_config.ts";
import { freePort } from "./ports.ts";

/** Whether it is there. */
export const nginx = await installed("nginx");

/** What it is to do. */
export interface NginxOptions {
  /** Where the server behind it listens. */
  readonly server: Address;
  /** The path that it passes on. */
  readonly path: string;
  /** The name that it answers to; every other Host gets a 421. */
  readonly host: string;
  /** The value of `X-Key` without which it answers 403. */
  readonly key: string;
  /** Certificate and key, paths of PEM files, where it terminates TLS. */
  readonly tls?: { readonly certificate: string; readonly private_key: string };
}

/** nginx, running. */
export interface RunningNginx extends AsyncDisposable {
  readonly address: Address;
}

/** Starts it on a free port; resolves when it accepts connections. */
export function startNginx(options: NginxOptions): Promise<RunningNginx> {
  return runNginx((at) => serversOf(at, options));
}

/** Runs it with what a `http` block has to say, given the address to listen on. */
export async function runNginx(http: (at: Address) => string): Promise<RunningNginx> {
  const path = requireProgram("nginx", nginx);
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "nginx-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const address = { hostname: "127.0.0.1", port: freePort() };
  const config = join(folder, "nginx.conf");
  await Deno.writeTextFile(config, nginxConfig(folder, http(address)));
  const child = stack.use(startChild(path, { args: ["-e", "stderr", "-p", folder, "-c", config] }));
  try {
    await accepting(address);
  } catch (cause) {
    throw new Error(`nginx does not accept connections; it printed:\n${child.text}`, { cause });
  }
  const owned = stack.move();
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function serversOf(at: Address, options: NginxOptions): string {
  const { server, path, host, key, tls } = options;
  const listen = `listen ${formatAddress(at)}${tls === undefined ? "" : " ssl"}`;
  const certificate = tls === undefined
    ? ""
    : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.private_key};`;
  return `server { ${listen} default_server; ${certificate} return 421; }
  server {
    ${listen};
    server_name ${host};
    ${certificate}
    location = ${path} {
      if ($http_x_key != "${key}") { return 403; }
      proxy_pass http://${formatAddress(server)};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 1h;
    }
  }`;
}
