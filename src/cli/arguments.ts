/**
 * The command line: from arguments to a {@linkcode Command}, with nothing touched on the way.
 *
 * @module
 */

import { collect, type Collected, oneOf, type OptionName, UsageError } from "./options.ts";
import { RESERVED_COMMANDS } from "./reserved.ts";

/** Which of a configuration's two blocks to run. */
export type Mode = "server" | "client";

/** How log lines look. */
export type LogFormat = "text" | "json";

/** Diffie-Hellman functions that `--genkey` makes keys for. */
export type Curve = "x25519" | "x448";

/** `gen-cert`: what to make certificates for, and where to write them. */
export interface GenCertCommand {
  /** Tells it from the others. */
  readonly kind: "gen-cert";
  /** Names and addresses of the server, as they were typed; at least one. */
  readonly hosts: readonly string[];
  /** The directory. */
  readonly out: string;
  /** Whether to replace certificates that are there. */
  readonly force: boolean;
}

/** What the arguments ask for. */
export type Command =
  | {
    readonly kind: "run";
    readonly config: string;
    /** Absent: the configuration decides. */
    readonly mode?: Mode;
    readonly logFormat: LogFormat;
  }
  | { readonly kind: "genkey"; readonly curve: Curve }
  | GenCertCommand
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  /** No arguments at all: whoever types that wants to know what to type. */
  | { readonly kind: "nothing" }
  | { readonly kind: "usage"; readonly message: string };

const CURVES: readonly Curve[] = ["x25519", "x448"];
const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];

/** Understands the arguments, or says as `usage` what is wrong with them. */
export function parseArguments(args: readonly string[]): Command {
  if (args.length === 0) return { kind: "nothing" };
  try {
    return decide(collect(args));
  } catch (error) {
    if (error instanceof UsageError) return { kind: "usage", message: error.message };
    throw error;
  }
}

function decide({ options, words }: Collected): Command {
  if (options.has("help")) return { kind: "help" };
  if (options.has("version")) return { kind: "version" };
  if (options.has("server") && options.has("client")) {
    throw new UsageError("--server and --client exclude each other; one process runs one of them");
  }
  const [first, second] = words;
  if (first?.text === "gen-cert" && !first.literal) return decideGenCert({ options, words });
  for (const name of ["out", "force"] as const) {
    if (options.has(name)) throw new UsageError(`--${name} belongs to the command gen-cert`);
  }
  const logFormat = options.has("log-format")
    ? oneOf(LOG_FORMATS, "--log-format", options.get("log-format"))
    : "text";
  if (options.has("genkey")) {
    if (first !== undefined) {
      throw new UsageError(`--genkey needs no configuration file, but '${first.text}' was given`);
    }
    return { kind: "genkey", curve: oneOf(CURVES, "--genkey", options.get("genkey") ?? "x25519") };
  }
  if (first === undefined) throw new UsageError("the configuration file is missing");
  if (!first.literal) refuseReserved(first.text);
  if (second !== undefined) {
    throw new UsageError(`one configuration file is expected, but '${second.text}' was given too`);
  }
  if (first.text === "") throw new UsageError("the name of the configuration file is empty");
  const run = { kind: "run", config: first.text, logFormat } as const;
  if (options.has("server")) return { ...run, mode: "server" };
  if (options.has("client")) return { ...run, mode: "client" };
  return run;
}

function decideGenCert({ options, words }: Collected): GenCertCommand {
  const own: readonly OptionName[] = ["out", "force"];
  for (const name of options.keys()) {
    if (!own.includes(name)) throw new UsageError(`--${name} does not go with gen-cert`);
  }
  const hosts = words.slice(1).map(({ text }) => text);
  if (hosts.length === 0) {
    throw new UsageError(
      "gen-cert needs the names or addresses under which clients reach the server, as in " +
        "rathole gen-cert tunnel.example.com --out certs",
    );
  }
  const out = options.get("out");
  if (out === undefined || out === "") {
    throw new UsageError("gen-cert needs a directory to write to, as in --out certs");
  }
  return { kind: "gen-cert", hosts, out, force: options.has("force") };
}

function refuseReserved(word: string): void {
  const purpose = RESERVED_COMMANDS.get(word);
  if (purpose === undefined) return;
  throw new UsageError(
    `the command '${word}' (${purpose}) is not there yet; for a file of that name write './${word}'`,
  );
}
