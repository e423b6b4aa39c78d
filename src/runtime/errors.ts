/**
 * One error class for everything that can go wrong here, and the one place that decides whether
 * trying again can help.
 *
 * @module
 */

/**
 * What kind of thing went wrong. Stable: programs may switch on it.
 *
 * | code | meaning |
 * |---|---|
 * | `config` | the configuration cannot be read or is invalid |
 * | `bind` | a local address cannot be listened on |
 * | `resolve` | a host name has no address |
 * | `connect` | a connection could not be opened |
 * | `timeout` | the other side did not answer in time |
 * | `protocol` | the other side broke the protocol, or speaks another one |
 * | `version` | the other side speaks another version of the protocol |
 * | `auth` | the token was refused |
 * | `untrusted` | the other side is not who it must be: certificate, host name or public key |
 * | `proxy` | the proxy on the way refused, or failed |
 * | `service` | the server does not know the service |
 * | `limit` | a configured limit was reached |
 * | `closed` | the other side ended the connection |
 * | `aborted` | this side ended the work (shutdown, reload, displaced) |
 * | `permission` | the Deno sandbox does not allow it |
 * | `unsupported` | known, and not available here |
 * | `exhausted` | every service of a client has given up |
 */
export type ErrorCode =
  | "config"
  | "bind"
  | "resolve"
  | "connect"
  | "timeout"
  | "protocol"
  | "version"
  | "auth"
  | "untrusted"
  | "proxy"
  | "service"
  | "limit"
  | "closed"
  | "aborted"
  | "permission"
  | "unsupported"
  | "exhausted";

/** An error with a stable {@linkcode ErrorCode}, a message a person can act on, and its cause. */
export class RatholeError extends Error {
  /** The class's name, for logs and `instanceof`-free checks. */
  override readonly name: string = "RatholeError";
  /** What kind of thing went wrong. */
  readonly code: ErrorCode;

  /** Takes what kind of failure it is, a sentence for people, and optionally what caused it. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Whether the same attempt may succeed later without anybody changing anything on this side.
 * Refused tokens and unknown services count: the server may be about to be given them. So do a
 * certificate that is refused, which may be about to be renewed, and a proxy that refuses.
 */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof RatholeError)) return true;
  switch (error.code) {
    case "config":
    case "permission":
    case "unsupported":
    case "aborted":
    case "exhausted":
      return false;
    default:
      return true;
  }
}

/**
 * One line for people. An error of ours says all there is to say; of another its causes' messages
 * are added, where they add something.
 */
export function explain(error: unknown): string {
  if (error instanceof RatholeError) return error.message;
  const parts: string[] = [];
  for (let e: unknown = error, depth = 0; e !== undefined && depth < 5; depth++) {
    const text = e instanceof Error ? e.message : String(e);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    e = e instanceof Error ? e.cause : undefined;
  }
  return parts.join(": ").replaceAll(/\s*\n\s*/g, " ");
}

/** The operating system's or runtime's name of an error (`EMFILE`, `AddrInUse`), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : error.name;
}

/** Whether the process has no descriptors left: the only remedy is to wait until some are closed. */
export function isDescriptorExhaustion(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EMFILE" || code === "ENFILE";
}
