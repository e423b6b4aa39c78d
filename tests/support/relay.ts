/**
 * A relay between client and server that can be cut, or fall silent.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { closeQuietly, copy, expectLost, type TcpService, tcpService } from "./local_services.ts";

/** See the module. */
export interface Relay extends TcpService {
  /** Closes some of the connections, at both ends; the oldest one is the control channel. */
  cut(which: "control" | "data"): void;
  /** From now on nothing is passed on, although all connections stay open. */
  fallSilent(): void;
}

/** Starts one towards a server. */
export function relayTo(server: Address): Relay {
  const links: Deno.TcpConn[][] = [];
  let silent = false;
  const service = tcpService(async (near, signal) => {
    const far = await Deno.connect({ ...server });
    const link = [near, far];
    links.push(link);
    const stop = () => closeQuietly(far);
    signal.addEventListener("abort", stop);
    const pass = async (from: Deno.TcpConn, to: Deno.TcpConn) => {
      const gate = { write: (bytes: Uint8Array) => silent ? bytes.length : to.write(bytes) };
      await copy(from, gate).catch(expectLost);
      if (!silent) await to.closeWrite().catch(expectLost);
    };
    await Promise.all([pass(near, far), pass(far, near)]);
    signal.removeEventListener("abort", stop);
    closeQuietly(far);
    if (links.includes(link)) links.splice(links.indexOf(link), 1);
  });
  return {
    address: service.address,
    get accepted() {
      return service.accepted;
    },
    cut(which) {
      const chosen = which === "control" ? links.splice(0, 1) : links.splice(1);
      for (const connection of chosen.flat()) closeQuietly(connection);
    },
    fallSilent() {
      silent = true;
    },
    stop: service.stop,
    [Symbol.asyncDispose]: service.stop,
  };
}
