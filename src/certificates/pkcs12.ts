/**
 * PKCS#12, the file that holds a certificate together with its key (RFC 7292).
 *
 * @module
 */

import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import type { Secret } from "../runtime/secret.ts";

/** What goes into the file. */
export interface Identity {
  /** The certificate. */
  readonly certificate: pkijs.Certificate;
  /** Its key, in PKCS#8's DER. */
  readonly privateKey: ArrayBuffer;
  /** What links the two in the file. */
  readonly keyIdentifier: ArrayBuffer;
}

const KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";
/** What OpenSSL takes by default; a password from a random generator needs no more. */
const ITERATIONS = 2048;

/**
 * The file's bytes. The key is encrypted as OpenSSL 3 does it, by AES-256 in CBC mode with a key of
 * PBKDF2-HMAC-SHA-256; a MAC of SHA-256 covers all. The password is to be of ASCII: programs differ in how they encode other letters.
 *
 * The certificate, which everybody is shown anyway, is not encrypted: the library would write it in
 * BER of indefinite length, which OpenSSL reads and the Deno runtime does not.
 */
export async function makePkcs12(identity: Identity, password: Secret): Promise<Uint8Array> {
  const encoded = new TextEncoder().encode(password.reveal()).buffer;
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 0, value: await safeContents(identity, encoded) },
      ],
    },
  });
  await safe.makeInternalValues({ safeContents: [{}] });
  const file = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  await file.makeInternalValues({
    password: encoded,
    iterations: ITERATIONS,
    pbkdf2HashAlgorithm: "SHA-256",
    hmacHashAlgorithm: "SHA-256",
  });
  return new Uint8Array(file.toSchema().toBER(false));
}

async function safeContents(
  { certificate, privateKey, keyIdentifier }: Identity,
  password: ArrayBuffer,
): Promise<pkijs.SafeContents> {
  const key = new pkijs.PKCS8ShroudedKeyBag({
    parsedValue: pkijs.PrivateKeyInfo.fromBER(privateKey),
  });
  await key.makeInternalValues({
    password,
    // The type asks for an initialization vector; each encryption draws its own all the same.
    contentEncryptionAlgorithm: { name: "AES-CBC", length: 256, iv: new Uint8Array(16) },
    hmacHashAlgorithm: "SHA-256",
    iterationCount: ITERATIONS,
  });
  // In one piece: the library's chain of one piece is BER, and not DER, which the runtime wants.
  key.encryptedData = new asn1js.OctetString({ valueHex: key.encryptedData.getValue() });
  const bagAttributes = [
    new pkijs.Attribute({
      type: LOCAL_KEY_ID,
      values: [new asn1js.OctetString({ valueHex: keyIdentifier })],
    }),
  ];
  const shown = new pkijs.CertBag({ parsedValue: certificate });
  return new pkijs.SafeContents({
    safeBags: [
      new pkijs.SafeBag({ bagId: KEY_BAG, bagValue: key, bagAttributes }),
      new pkijs.SafeBag({ bagId: CERTIFICATE_BAG, bagValue: shown, bagAttributes }),
    ],
  });
}
