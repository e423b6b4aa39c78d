/**
 * How two ends of the tunnel reach each other, behind one interface.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Family } from "../net/resolve.ts";
import type { Address } from "../runtime/address.ts";
import type { DialOptions } from "./dialer.ts";

/** A connection that was accepted, with its transport's handshake still to come. */
export interface Incoming {
  /** Where it comes from. */
  readonly peer: Address;
  /** Performs the handshake; the result takes this object's place. */
  handshake(): Promise<Connection>;
  /** Ends it, or what the handshake made of it. Synchronous and idempotent. */
  abort(reason?: unknown): void;
}

/** Accepts connections at one address. */
export interface Listener extends Disposable {
  /** The address that is listened on; a port of 0 has become a real one. */
  readonly address: Address;
  /** The next connection. Never waits for a peer to say something. */
  accept(): Promise<Incoming>;
  /** Stops listening; a pending accept rejects. */
  close(): void;
}

/** What may differ from one connection to the next. */
export interface ConnectOptions extends DialOptions {
  /** Overrides `transport.tcp.nodelay`. */
  readonly nodelay?: boolean | undefined;
}

/** What is wrong with the lifetime of a certificate that this end shows. */
export interface CertificateLifetime {
  /** The file it is in. */
  readonly file: string;
  /** `expires-soon` is within 7 days. */
  readonly state: "not-yet-valid" | "expires-soon" | "expired";
  /** The first second in which it is valid. */
  readonly notBefore: Date;
  /** The last second in which it is valid. */
  readonly notAfter: Date;
}

/** What a transport tells whoever runs it. */
export interface TransportEvents {
  /** Certificates or keys that had changed on disk are in use from now on. */
  certificateRenewed(files: readonly string[]): void;
  /** Changed files cannot be used, with the reason; what was there before stays in use. */
  certificateRefused(reason: string): void;
  /** The certificate that is in use ends soon, or the other end will refuse it; told once a day. */
  certificateLifetime(lifetime: CertificateLifetime): void;
}

/** What a transport is given besides its configuration. */
export interface TransportOptions {
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
  /** Times what a transport does by itself. */
  readonly clock: Clock;
  /** Which addresses of a host to try first. */
  readonly prefer?: Family | undefined;
  /** Hears of what happens between connections. */
  readonly events: TransportEvents;
}

/** One way to carry the tunnel. */
export interface Transport {
  /** Opens a connection, its handshake included. @throws {RatholeError} */
  connect(to: Address, options: ConnectOptions): Promise<Connection>;
  /** Listens from now on. @throws {RatholeError} `bind`, `resolve`, `permission` */
  bind(at: Address): Listener;
}
