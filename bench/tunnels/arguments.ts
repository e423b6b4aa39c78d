/**
 * The command line of the benchmark: from arguments to what they ask for, with nothing touched.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "../../src/cli/options.ts";
import { nearest } from "../../src/config/suggest.ts";
import { selectable } from "./plan.ts";
import { type Subject, SUBJECTS } from "./results.ts";

/** The text of `--help`. */
export const USAGE = `Usage: deno task bench [options]
       deno task bench --compare OLD.json [NEW.json]

Measures the tunnel against rathole 0.5.0, and against frp where FRPS and FRPC
name its programs, in turns on 127.0.0.1. Needs Linux, iperf3, wrk and nginx;
the group loss also root, ip and nft, and is left out without them.

  --rounds N        how often everything is measured (default 7)
  --seconds S       how long each rate is measured (default 3; datagrams,
                    mixed, delay and loss 2)
  --only A,B        only these groups or figures: tcp, http, udp, tls, noise,
                    ws, wss, mixed, delay, loss, memory, start;
                    or http.new, tcp.bulk, …
                    (memory.load-peak needs all of tcp, http and udp)
  --subjects A,B    only these: rathole, ours, channels (ours with carriers = 0),
                    frp, our-server, our-client, old
  --ours DIR        the checkout that is measured (default: this one)
  --against DIR     another checkout, measured in turns with ours, as "old";
                    --subjects can name more, and must name old then
  --out FILE        where the results go
                    (default bench/results/DATE-TIME-COMMIT.json)
  --compare OLD     after the run, or instead of it where NEW is given, say
                    what has changed since the results in the file OLD
  -h, --help        this text

Examples:
  deno task bench --only http,tcp.bulk --rounds 3 --out http.json
  deno task bench --against ../before --only http

Exit codes: 0 done, 1 something is missing or failed, 2 a mistake here.`;

/** What the arguments ask for. */
export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "usage"; readonly message: string }
  | { readonly kind: "compare"; readonly old: string; readonly now: string }
  | RunRequest;

/** A run. */
export interface RunRequest {
  readonly kind: "run";
  readonly rounds: number;
  readonly seconds: number;
  readonly only: readonly string[];
  /** Absent: all that there are. */
  readonly subjects?: readonly Subject[];
  readonly ours?: string;
  readonly against?: string;
  readonly out?: string;
  /** Earlier results to compare with. */
  readonly compare?: string;
}

const OPTIONS = {
  rounds: { type: "string" },
  seconds: { type: "string" },
  only: { type: "string" },
  subjects: { type: "string" },
  ours: { type: "string" },
  against: { type: "string" },
  out: { type: "string" },
  compare: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type OptionName = keyof typeof OPTIONS;

/** Understands the arguments, or says as `usage` what is wrong with them. */
export function parseArguments(args: readonly string[]): Request {
  try {
    return decide(collect(args));
  } catch (error) {
    if (error instanceof UsageError) return { kind: "usage", message: error.message };
    throw error;
  }
}

interface Collected {
  readonly options: ReadonlyMap<OptionName, string>;
  readonly words: readonly string[];
}

function collect(args: readonly string[]): Collected {
  const { positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false, // its own messages speak to the programmer, not to the user
    tokens: true,
  });
  const options = new Map<OptionName, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (!isOptionName(name)) {
      const meant = nearest(name, Object.keys(OPTIONS));
      const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
      throw new UsageError(`there is no option ${rawName}${hint}`);
    }
    if (options.has(name)) throw new UsageError(`--${name} was given more than once`);
    const takesValue = OPTIONS[name].type === "string";
    if (takesValue && (value === undefined || value === "")) {
      throw new UsageError(`--${name} needs a value`);
    }
    if (!takesValue && value !== undefined) throw new UsageError(`--${name} takes no value`);
    options.set(name, value ?? "");
  }
  return { options, words: positionals };
}

function decide({ options, words }: Collected): Request {
  if (options.has("help")) return { kind: "help" };
  const compare = options.get("compare");
  const [now, more] = words;
  if (now !== undefined) {
    if (compare === undefined || more !== undefined) {
      throw new UsageError(`'${more ?? now}' was not expected`);
    }
    if (options.size > 1) throw new UsageError("two files are compared without running anything");
    return { kind: "compare", old: compare, now };
  }
  const against = options.get("against");
  const subjects = list(options, "subjects", Object.keys(SUBJECTS)) as Subject[];
  if (subjects.includes("old") && against === undefined) {
    throw new UsageError("the subject old is the checkout that --against names");
  }
  if (against !== undefined && subjects.length > 0 && !subjects.includes("old")) {
    throw new UsageError("--against is of no use: --subjects does not name old");
  }
  const text = (name: OptionName) => {
    const value = options.get(name);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    kind: "run",
    rounds: positive(options, "rounds", 7),
    seconds: positive(options, "seconds", 3),
    only: list(options, "only", selectable(), "groups"),
    ...(subjects.length === 0 ? {} : { subjects }),
    ...text("ours"),
    ...text("against"),
    ...text("out"),
    ...text("compare"),
  };
}

function positive(options: Collected["options"], name: OptionName, otherwise: number): number {
  const value = options.get(name);
  if (value === undefined) return otherwise;
  // wrk and iperf3 take whole seconds.
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new UsageError(`--${name} takes a whole number from 1 to 9999, not '${value}'`);
}

function list(
  options: Collected["options"],
  name: OptionName,
  allowed: readonly string[],
  kind = "names",
): string[] {
  const names = options.get(name)?.split(",") ?? [];
  for (const given of names) {
    if (allowed.includes(given)) continue;
    const meant = nearest(given, allowed);
    // The names of figures are too many for a line.
    const told = allowed.filter((it) => !it.includes(".")).join(", ");
    const hint = meant === undefined ? `; ${kind} are ${told}` : `; did you mean ${meant}?`;
    throw new UsageError(`--${name}: there is no '${given}'${hint}`);
  }
  return [...new Set(names)];
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}
