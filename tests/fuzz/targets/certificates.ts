/**
 * Files of certificates and keys.
 *
 * @module
 */

import { createAuthority, openAuthority } from "../../../src/certificates/authority.ts";
import { fromPem, toPem } from "../../../src/certificates/pem.ts";
import { SystemClock } from "../../../src/runtime/clock.ts";
import { Secret } from "../../../src/runtime/secret.ts";
import {
  buildServer,
  readCertificates,
  readIdentity,
} from "../../../src/transport/tls_identity.ts";
import { LifetimeWatch } from "../../../src/transport/tls_lifetime.ts";
import { bytesOf } from "../../support/local_services.ts";
import { must, outcomeOf, settled, shapeOf, type Target } from "../engine/target.ts";

const PASSWORD = "hunter2";
const TOKENS = [
  ...["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----"],
  ...["-----BEGIN ENCRYPTED PRIVATE KEY-----", "TRUSTED ", "\n", "=", "MII", "AAAA"],
];
const NOBODY = { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} };

async function identity() {
  const authority = await createAuthority();
  const server = await authority.issue({ usage: "server", hosts: ["tunnel.example", "::1"] });
  return { authority, server };
}

/** PEM: certificate, chain and key in one file, as TLS is given it. */
export async function pemFiles(): Promise<Target> {
  const { authority, server } = await identity();
  const key = server.privateKeyPem.reveal();
  const config = { certificate: "file", private_key: "file", client_ca: "file" };
  const watch = new LifetimeWatch(config, NOBODY, new SystemClock());
  return {
    name: "pem-files",
    seeds: [
      server.certificatePem + authority.certificatePem + key,
      key + server.certificatePem,
      server.certificatePem,
      key,
    ].map(bytesOf),
    tokens: TOKENS,
    longest: 4000,
    batch: 16,
    run(input) {
      const contents = new Map([["file", input.slice()]]);
      const text = new TextDecoder("latin1").decode(input);
      const der = fromPem("CERTIFICATE", text);
      if (der !== undefined) {
        const again = fromPem("CERTIFICATE", toPem("CERTIFICATE", der));
        must(again?.byteLength === der.byteLength, "a certificate that changes in PEM");
      }
      const found = outcomeOf(["config"], () => readCertificates(contents, "file"));
      const own = outcomeOf(["config"], () => readIdentity(config, contents));
      if (found.error === undefined) watch.loaded(contents);
      return [der === undefined, found, own].map((outcome) =>
        typeof outcome === "boolean"
          ? outcome
          : outcome.error === undefined
          ? "ok"
          : shapeOf(outcome.error)
      ).join();
    },
  };
}

/** PKCS#12, as a server of TLS is made of it. */
export async function pkcs12Files(): Promise<Target> {
  const { server } = await identity();
  const config = { pkcs12: "file", pkcs12_password: new Secret(PASSWORD) };
  const watch = new LifetimeWatch(config, NOBODY, new SystemClock());
  return {
    name: "pkcs12-files",
    seeds: [await server.pkcs12(PASSWORD), await server.pkcs12("another")],
    batch: 8,
    longest: 3000,
    run(input) {
      const contents = new Map([["file", input.slice()]]);
      const { error } = outcomeOf(["config"], () => buildServer(config, contents));
      if (error !== undefined) return shapeOf(error);
      watch.loaded(contents);
      return "ok";
    },
  };
}

/** The authority that gen-cert goes on with: its certificate and key in one text. */
export async function authorities(): Promise<Target> {
  const { authority, server } = await identity();
  const key = authority.privateKeyPem.reveal();
  return {
    name: "authorities",
    seeds: [
      authority.certificatePem + key,
      server.certificatePem + server.privateKeyPem.reveal(),
      authority.certificatePem + server.privateKeyPem.reveal(),
    ].map(bytesOf),
    tokens: TOKENS,
    longest: 3000,
    batch: 8,
    async run(input) {
      const text = new TextDecoder("latin1").decode(input);
      const { value, error } = await settled(["config"], openAuthority(text, new Secret(text)));
      if (error !== undefined) return shapeOf(error);
      const issued = await settled(["config"], value.issue({ usage: "client", name: "x" }));
      return issued.error === undefined ? "issued" : shapeOf(issued.error);
    },
  };
}
