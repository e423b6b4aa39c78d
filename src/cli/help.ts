/**
 * What `--help` and `--version` print.
 *
 * @module
 */

import { COMPATIBLE_VERSION, VERSION } from "../version.ts";

/** The line of `--version`. */
export const VERSION_TEXT = `rathole ${VERSION} (wire-compatible with rathole ${COMPATIBLE_VERSION})
`;

/** One line that reminds of the rest; follows a mistake on the command line. */
export const USAGE_HINT = "Usage: rathole [OPTIONS] CONFIG    (rathole --help tells more)\n";

/** The text of `--help`. */
export const HELP_TEXT = `rathole ${VERSION}
Exposes services behind NAT to the internet, through a server of your own.

Usage:
  rathole [OPTIONS] CONFIG
  rathole --genkey [CURVE]
  rathole gen-cert HOST... --out DIR [--force]

Arguments:
  CONFIG                 Configuration file (TOML). A [server] block in it makes
                         this the server, a [client] block the client.

Options:
  -s, --server           Run the [server] block of a file that has both
  -c, --client           Run the [client] block of a file that has both
      --genkey [CURVE]   Print a key pair for the noise transport;
                         CURVE is x25519 (the default) or x448
      --log-format FMT   Log lines as text (the default) or as json
  -h, --help             Print this help
  -V, --version          Print the version

Certificates for the tls transport:
  gen-cert HOST...       Make an authority and by it certificates for a server
                         and a client, and print what to configure. HOST is a
                         name or IP address that clients reach the server by
      --out DIR          Where to write them; an authority there is used again
      --force            Replace the server's and the client's that are there

Environment:
  RUST_LOG               What to log: error, warn, info (default), debug, trace
                         or off; for a part of it: info,rathole::client=debug
  NO_COLOR               Set it to anything for no colours on a terminal

Examples:
  rathole server.toml    Run on the machine with the public address
  rathole client.toml    Run on the machine behind NAT
  RUST_LOG=debug rathole --client both.toml
  rathole gen-cert tunnel.example.com 203.0.113.7 --out certs

Under Deno, with no more permissions than it needs:
  deno run --allow-net --allow-read=CONFIG --allow-env=RUST_LOG mod.ts CONFIG
  (and --allow-read=FILE for each file that the configuration names; with the
  directory of CONFIG instead of CONFIG, changes are seen at once, not in 5 s)
  deno run --allow-read=DIR --allow-write=DIR mod.ts gen-cert HOST --out DIR

Changes of CONFIG are applied while it runs, each at the cost of what it
touches; a file that cannot be used is refused, and what runs goes on.

Signals:
  SIGINT (Ctrl-C) and SIGTERM let open connections finish, for drain_timeout
  at most; a second one ends them at once.
  SIGHUP has CONFIG read again at once. From a terminal, which sends it when it
  closes, it is as SIGTERM.

Exit codes:
  0  done, or stopped by a signal
  1  the configuration is unreadable or invalid, an address cannot be listened
     on, or all services of the client have given up
  2  a mistake on the command line
`;
