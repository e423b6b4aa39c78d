/**
 * Talking with a proxy before the socket is the tunnel's.
 *
 * @module
 */

import { lostError } from "../../net/system_errors.ts";
import { type Address, formatAddress } from "../../runtime/address.ts";
import { RatholeError } from "../../runtime/errors.ts";

/** What proves to a proxy who asks: as in its URL, percent-decoded. */
export interface Credentials {
  /** The user's name. */
  readonly username: string;
  /** The password; empty when the URL names only a user. */
  readonly password: string;
}

/** Asks a proxy for a way to an address; resolves when there is one. */
export type Handshake = (exchange: Exchange, to: Address) => Promise<void>;

/**
 * Questions and answers over a socket whose closing ends them. Every error is a
 * {@linkcode RatholeError} of code `proxy` that names the proxy's address and the step, and nothing
 * that the proxy sent or that was sent to it: a proxy may well repeat a password.
 */
export class Exchange {
  readonly #socket: Deno.TcpConn;
  readonly #where: string;
  #step = "the connection";

  /** Speaks over the socket with the proxy at `proxy`. */
  constructor(socket: Deno.TcpConn, proxy: Address) {
    this.#socket = socket;
    this.#where = formatAddress(proxy);
  }

  /** What waits for an answer, for a sentence: `no answer from the proxy 192.0.2.1:1080 to …`. */
  get waiting(): string {
    return `no answer from the proxy ${this.#where} to ${this.#step}`;
  }

  /** Sends a question; `step` names it, as in `the SOCKS5 greeting`. */
  async ask(step: string, question: Uint8Array): Promise<void> {
    this.#step = step;
    try {
      for (let sent = 0; sent < question.length;) {
        sent += await this.#socket.write(question.subarray(sent));
      }
    } catch (error) {
      throw this.#lost(error);
    }
  }

  /** Up to so many bytes of the answer, at least one. */
  async readSome(buffer: Uint8Array): Promise<number> {
    let count;
    try {
      count = await this.#socket.read(buffer);
    } catch (error) {
      throw this.#lost(error);
    }
    if (count === null) throw this.failure(`closed the connection in answer to ${this.#step}`);
    return count;
  }

  /** Exactly so many bytes of the answer; what follows them stays in the socket. */
  async readExact(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      filled += await this.readSome(bytes.subarray(filled));
    }
    return bytes;
  }

  /** The error whose message is `the proxy 192.0.2.1:1080 …`. */
  failure(predicate: string, cause?: unknown): RatholeError {
    return new RatholeError("proxy", `the proxy ${this.#where} ${predicate}`, { cause });
  }

  #lost(cause: unknown): RatholeError {
    const { message } = lostError(cause);
    return this.failure(`did not answer ${this.#step}: ${message}`, cause);
  }
}
