/**
 * Tells in time that this end's own certificate is about to end, and that one is out of date: the
 * other end will refuse it, and say so there.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import type { TlsConfig } from "../config/types.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Contents } from "./tls_files.ts";
import { readCertificates } from "./tls_identity.ts";
import type { CertificateLifetime, TransportEvents } from "./transport.ts";

const DAY = 24 * 60 * 60 * 1000;
/** Milliseconds before its end from which a certificate is warned of; ACME clients renew earlier. */
const SOON = 7 * DAY;

/** From when to when a certificate is valid, and the file that it is in. */
type Validity = Pick<CertificateLifetime, "file" | "notBefore" | "notAfter">;

/** What is wrong with a lifetime at a moment (milliseconds since 1970); undefined when nothing is. */
export function lifetimeState(
  { notBefore, notAfter }: Omit<Validity, "file">,
  now: number,
): CertificateLifetime["state"] | undefined {
  if (now < notBefore.getTime()) return "not-yet-valid";
  // Its last second is one in which it is valid.
  if (now >= notAfter.getTime() + 1000) return "expired";
  return now >= notAfter.getTime() - SOON ? "expires-soon" : undefined;
}

/** Looks at this end's own certificate when it is loaded, and once a day as long as it is used. */
export class LifetimeWatch {
  readonly #config: TlsConfig;
  readonly #events: TransportEvents;
  readonly #clock: Clock;
  #validity: Validity | undefined;
  #looked = 0;

  /** Takes what names the certificate's file, who is to hear of it, and what tells the days apart. */
  constructor(config: TlsConfig, events: TransportEvents, clock: Clock) {
    this.#config = config;
    this.#events = events;
    this.#clock = clock;
  }

  /** The files were loaded, and can be used. */
  loaded(contents: Contents): void {
    this.#validity = readValidity(this.#config, contents);
    this.#look();
  }

  /** The files are in use as before. */
  unchanged(): void {
    if (this.#clock.now() - this.#looked >= DAY) this.#look();
  }

  #look(): void {
    this.#looked = this.#clock.now();
    if (this.#validity === undefined) return;
    const state = lifetimeState(this.#validity, Date.now());
    if (state !== undefined) this.#events.certificateLifetime({ ...this.#validity, state });
  }
}

/** The lifetime of the certificate that a configuration names, if it names one. */
function readValidity(config: TlsConfig, contents: Contents): Validity | undefined {
  const { certificate, pkcs12, pkcs12_password } = config;
  const file = pkcs12 ?? certificate;
  const bytes = file === undefined ? undefined : contents.get(file);
  if (file === undefined || bytes === undefined) return undefined;
  const found = pkcs12 === undefined
    ? inPem(readCertificates(contents, file))
    : inPkcs12(bytes, pkcs12_password?.reveal() ?? "");
  return { file, ...found };
}

/** The first one, which is this end's own. */
function inPem([own = ""]: readonly string[]): Omit<Validity, "file"> {
  const { validFrom, validTo } = new X509Certificate(own);
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

/** The engine shows what it has found in such a file only by way of a socket that it would use. */
function inPkcs12(bytes: Uint8Array, passphrase: string): Omit<Validity, "file"> {
  const secureContext = createSecureContext({ pfx: Buffer.from(bytes), passphrase });
  const nobody = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = new TLSSocket(nobody, { isServer: true, secureContext });
  // It is given up before anything was said.
  socket.on("error", () => {});
  const shown = socket.getCertificate();
  socket.destroy();
  nobody.destroy();
  const dateOf = (name: string) => new Date(String(Reflect.get(shown ?? {}, name)));
  return { notBefore: dateOf("valid_from"), notAfter: dateOf("valid_to") };
}
