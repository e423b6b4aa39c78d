/**
 * A tunnel through a SOCKS5 proxy (RFC 1928), with user and password where it wants them
 * (RFC 1929).
 *
 * | message | layout, one byte each unless said |
 * |---|---|
 * | greeting | 5, number of methods, methods |
 * | choice | 5, method |
 * | credentials | 1, length, user, length, password |
 * | verdict | 1, status |
 * | request | 5, 1 (connect), 0, address type, address, port (2, big-endian) |
 * | reply | 5, status, 0, address type, address, port (2, big-endian) |
 *
 * An address is 4 bytes (type 1), a length and a name (type 3) or 16 bytes (type 4).
 *
 * @module
 */

import { type Address, formatAddress, parseIp } from "../../runtime/address.ts";
import { RatholeError } from "../../runtime/errors.ts";
import type { Credentials, Exchange, Handshake } from "./exchange.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
/** Bytes of anything that has one byte for its length. */
const LONGEST = 255;

/**
 * The handshake with a SOCKS5 proxy.
 *
 * @throws {RatholeError} `config` for a user or password that is longer than SOCKS5 can carry.
 */
export function socks5(credentials: Credentials | undefined): Handshake {
  const proof = credentials === undefined ? undefined : encodeCredentials(credentials);
  return async (exchange, to) => {
    await authenticate(exchange, proof);
    await exchange.ask(`the SOCKS5 request for ${formatAddress(to)}`, encodeRequest(to));
    const [version, status, , type] = await exchange.readExact(4);
    requireSocks5(exchange, version);
    if (status !== 0) throw exchange.failure(refusal(status, to));
    // The address from which the proxy connects: of no use here, but it has to be out of the way.
    await exchange.readExact(await addressLength(exchange, type) + 2);
  };
}

async function authenticate(exchange: Exchange, proof: Uint8Array | undefined): Promise<void> {
  const methods = proof === undefined
    ? [NO_AUTHENTICATION]
    : [NO_AUTHENTICATION, USER_AND_PASSWORD];
  await exchange.ask("the SOCKS5 greeting", Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await exchange.readExact(2);
  requireSocks5(exchange, version);
  if (method === NO_AUTHENTICATION) return;
  if (method === NONE_ACCEPTABLE) {
    throw exchange.failure(
      proof === undefined
        ? "wants authentication; write user and password in transport.tcp.proxy, as in " +
          "socks5://user:password@host:port"
        : "takes neither user and password nor none of them",
    );
  }
  if (method !== USER_AND_PASSWORD || proof === undefined) {
    throw exchange.failure(`chose authentication method ${method}, which was not offered`);
  }
  await exchange.ask("user and password", proof);
  const [proofVersion, verdict] = await exchange.readExact(2);
  // Some proxies say 5 here, the version of the rest.
  if (proofVersion !== 1 && proofVersion !== VERSION) requireSocks5(exchange, proofVersion);
  if (verdict !== 0) {
    throw exchange.failure(
      "refused the user name or password; correct them in transport.tcp.proxy",
    );
  }
}

function requireSocks5(exchange: Exchange, version: number | undefined): void {
  if (version === VERSION) return;
  throw exchange.failure(
    version === 0x48
      ? "speaks HTTP; write http:// in transport.tcp.proxy"
      : version === 0 || version === 4
      ? "speaks SOCKS4, which this program does not"
      : "does not speak SOCKS5; look at the address in transport.tcp.proxy",
  );
}

function encodeCredentials({ username, password }: Credentials): Uint8Array {
  const fields = [
    { what: "user name", bytes: new TextEncoder().encode(username) },
    { what: "password", bytes: new TextEncoder().encode(password) },
  ];
  const proof = [1];
  for (const { what, bytes } of fields) {
    if (bytes.length > LONGEST) {
      const message = `transport.tcp.proxy: the ${what} is longer than the ${LONGEST} bytes ` +
        "that SOCKS5 can carry";
      throw new RatholeError("config", message);
    }
    proof.push(bytes.length, ...bytes);
  }
  return Uint8Array.from(proof);
}

function encodeRequest({ hostname, port }: Address): Uint8Array {
  const ip = parseIp(hostname);
  // ASCII, and not longer than 255: the dialer has seen to it.
  const name = new TextEncoder().encode(hostname);
  const address = ip === null
    ? [NAME, name.length, ...name]
    : [ip.length === 4 ? IPV4 : IPV6, ...ip];
  return Uint8Array.of(VERSION, CONNECT, 0, ...address, port >> 8, port & 0xff);
}

async function addressLength(exchange: Exchange, type: number | undefined): Promise<number> {
  switch (type) {
    case IPV4:
      return 4;
    case IPV6:
      return 16;
    case NAME: {
      const [length = 0] = await exchange.readExact(1);
      return length;
    }
    default:
      throw exchange.failure(`answered with an address of unknown type ${type}`);
  }
}

/** RFC 1928, section 6. */
function refusal(status: number | undefined, to: Address): string {
  const where = formatAddress(to);
  switch (status) {
    case 1:
      return `could not connect to ${where} and does not say why (general failure)`;
    case 2:
      return `does not allow connections to ${where}; allow that host and port in its settings`;
    case 3:
      return `cannot reach the network of ${where}`;
    case 4:
      return `cannot reach the host of ${where}; does the proxy know its name?`;
    case 5:
      return `was refused by ${where}; is the server running?`;
    case 6:
      return `got no answer from ${where} (TTL expired)`;
    case 7:
      return "cannot connect on behalf of others (command not supported)";
    case 8:
      return `cannot use the kind of address of ${where} (address type not supported)`;
    default:
      return `refused to connect to ${where} (SOCKS5 status ${status})`;
  }
}
