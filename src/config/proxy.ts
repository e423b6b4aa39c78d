/**
 * The URL of a proxy between client and server.
 *
 * @module
 */

/** A proxy, taken apart. It may hold a password: keep it out of logs. */
export interface Proxy {
  /** How it is spoken to. */
  readonly scheme: "http" | "socks5";
  /** Host name or IP address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** Its port; 80 for http and 1080 for socks5 when the URL has none. */
  readonly port: number;
  /** User name, percent-decoded, if the URL has user or password. */
  readonly username?: string;
  /** Password, percent-decoded; empty when only a user is named. */
  readonly password?: string;
}

const HELP = "write socks5://host:port or http://host:port, with user:password@ before the host " +
  "where the proxy asks for it";

/**
 * Reads a proxy's URL; or says in a sentence what is wrong with it. The sentence repeats nothing of
 * the URL, since any part of a mistyped one may be the password.
 */
export function parseProxy(text: string): Proxy | string {
  const [, scheme = "", rest] = /^([a-z\d+.-]+):\/\/(.*)$/i.exec(text) ?? [];
  if (rest === undefined) return `is not a URL; ${HELP}`;
  const known = scheme.toLowerCase();
  if (known !== "http" && known !== "socks5") {
    return `has a scheme that is neither socks5 nor http; ${HELP}`;
  }
  // Read as http whatever it is: URLs of other schemes keep their host as it was written. A port 80
  // that is written and one that is left out are the same then, and so is the default for http.
  const url = URL.parse(`http://${rest}`);
  const [authority = "", ...beyond] = rest.split(/[/?#\\]/);
  if (beyond.join("").includes("@")) {
    return "has no @ where host and port end; percent-encode /, ? and # in user and password";
  }
  if (/^(?:.*@)?(?::|$)/.test(authority)) return `has no host; ${HELP}`;
  if (url === null) return `is not a valid URL; ${HELP}`;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const written = /:(\d+)$/.exec(authority)?.[1];
  const port = Number(written ?? (known === "http" ? 80 : 1080));
  if (port === 0) return `has port 0, which nothing listens on; ${HELP}`;
  const proxy = { scheme: known, hostname, port } as const;
  if (url.username === "" && url.password === "") return proxy;
  return { ...proxy, username: decode(url.username), password: decode(url.password) };
}

/** Percent-decodes what is percent-encoded; a % that starts nothing of the kind stays. */
function decode(text: string): string {
  return text.replaceAll(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}
