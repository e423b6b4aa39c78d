/**
 * A relay before a server that knows what each connection is for, keeps what was said on it, and
 * can cut it or fall silent. Only over plain TCP: it looks at the hello.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import type { HelloKind } from "../../src/protocol/messages.ts";
import { closeQuietly, copy, expectLost, tcpService, writeAll } from "./local_services.ts";

/** Bytes of a connection that are kept in each direction. */
const KEPT = 64 * 1024;
const KINDS: readonly HelloKind[] = ["control", "data", "carrier"];

/** A connection. */
export interface Tapped {
  /** What it is for; undefined until it has said so. */
  readonly kind: HelloKind | undefined;
  /** The first bytes from the client. */
  readonly up: Uint8Array;
  /** The first bytes from the server. */
  readonly down: Uint8Array;
  /** Whether it is open. */
  readonly open: boolean;
  /** Whether what comes goes nowhere. */
  silent: boolean;
  /** Closes it at both ends. */
  cut(): void;
}

/** See the module. */
export interface Wiretap extends AsyncDisposable {
  /** Where clients connect. */
  readonly address: Address;
  /** All connections that ever were, oldest first. */
  readonly links: readonly Tapped[];
  /** Those of a kind that are open. */
  of(kind: HelloKind): readonly Tapped[];
  /** Kinds of connections that are cut as they come. */
  readonly refused: Set<HelloKind>;
}

/** The first bytes of a direction. */
class Tape {
  readonly #bytes = new Uint8Array(KEPT);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  add(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, KEPT - this.#length);
    this.#bytes.set(kept, this.#length);
    this.#length += kept.length;
  }
}

/** Starts one towards a server. */
export function wiretap(server: Address): Wiretap {
  const links: Tapped[] = [];
  const refused = new Set<HelloKind>();
  const service = tcpService(async (near, signal) => {
    const far = await Deno.connect({ ...server });
    const [up, down] = [new Tape(), new Tape()];
    let open = true;
    const link: Tapped = {
      get kind() {
        const [tag] = up.bytes;
        return tag === undefined ? undefined : KINDS[tag];
      },
      get up() {
        return up.bytes;
      },
      get down() {
        return down.bytes;
      },
      get open() {
        return open;
      },
      silent: false,
      cut() {
        open = false;
        closeQuietly(near);
        closeQuietly(far);
      },
    };
    links.push(link);
    const stop = () => closeQuietly(far);
    signal.addEventListener("abort", stop);
    const pass = async (from: Deno.TcpConn, to: Deno.TcpConn, tape: Tape) => {
      const gate = {
        async write(bytes: Uint8Array) {
          const fresh = link.kind === undefined;
          tape.add(bytes);
          if (fresh && link.kind !== undefined && refused.has(link.kind)) link.cut();
          else if (!link.silent) await writeAll(to, bytes);
          return bytes.length;
        },
      };
      await copy(from, gate).catch(expectLost);
      if (!link.silent) await to.closeWrite().catch(expectLost);
    };
    await Promise.all([pass(near, far, up), pass(far, near, down)]);
    open = false;
    signal.removeEventListener("abort", stop);
    closeQuietly(far);
  });
  return {
    address: service.address,
    links,
    of: (kind) => links.filter((link) => link.open && link.kind === kind),
    refused,
    [Symbol.asyncDispose]: service.stop,
  };
}
