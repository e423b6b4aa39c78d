/**
 * Rules for a `tls` block that is in use.
 *
 * @module
 */

import { asciiHost, parseIp } from "../runtime/address.ts";
import { error, type Finding, type Side } from "./finding.ts";
import { formatKey, type Path } from "./problem.ts";
import { shapeAt } from "./shape.ts";
import { isTable, valueAt } from "./value.ts";

/** The two ways to name a certificate and its key. */
const PEM = ["certificate", "private_key"];
const PKCS12 = ["pkcs12", "pkcs12_password"];

/** Everything to say about one side's `tls`, whose value as written is `tls`. */
export function* tlsRules(side: Side, path: Path, tls: unknown): Generator<Finding> {
  if (tls !== undefined && !isTable(tls)) return;
  const pem = PEM.filter((key) => valueAt(tls, [key]) !== undefined);
  if (side === "client") {
    if (tls === undefined) {
      yield error(path, `is missing; write [${formatKey(path)}], if only empty`);
    }
    // What it says of PKCS#12 is the server's, and warned of as such.
    if (pem.length > 0) yield* missingHalf(path, PEM, pem);
    const hostname = valueAt(tls, ["hostname"]);
    if (typeof hostname === "string" && !isHost(hostname)) {
      yield error(
        [...path, "hostname"],
        "is no host name; write the name or IP address in the server's certificate, without a port",
      );
    }
    return;
  }
  const pkcs12 = PKCS12.filter((key) => valueAt(tls, [key]) !== undefined);
  const [first] = pkcs12;
  if (first === undefined && pem.length === 0) {
    yield tls === undefined
      ? error(path, `is missing; write [${formatKey(path)}] with ${either()}`)
      : error(path, `names no certificate; write ${either()}`);
  } else if (first !== undefined && pem.length > 0) {
    yield error(
      [...path, first],
      `is there besides ${pem[0]}, and only one certificate can be shown; write ${either()}`,
    );
  } else {
    yield* missingHalf(path, pem.length > 0 ? PEM : PKCS12, [...pem, ...pkcs12]);
  }
}

/** Whether a certificate could be for it. */
function isHost(text: string): boolean {
  return parseIp(text) !== null || /^[a-z\d_.-]+$/.test(asciiHost(text) ?? "");
}

function* missingHalf(
  path: Path,
  keys: readonly string[],
  written: readonly string[],
): Generator<Finding> {
  for (const key of keys) {
    if (written.includes(key)) continue;
    // The schema is one for both sides, and its examples are a server's.
    const example = shapeAt([...path, key])?.example?.replace("server", path[0] ?? "");
    yield error([...path, key], `is missing; write ${key} = ${example}`);
  }
}

function either(): string {
  return `${PEM.join(" and ")}, or ${PKCS12.join(" and ")}`;
}
