/**
 * What a run of the benchmark leaves behind: every value of every round, with what it was made on.
 *
 * @module
 */

/** Who stands at the two ends of the tunnel that is measured. */
export type Subject =
  | "rathole"
  | "ours"
  | "channels"
  | "old"
  | "frp"
  | "our-server"
  | "our-client";

/** What each subject is called in tables and pictures. */
export const SUBJECTS: Readonly<Record<Subject, string>> = {
  rathole: "rathole 0.5.0",
  ours: "rathole for Deno",
  channels: "ours, carriers = 0",
  old: "the other checkout",
  frp: "frp",
  "our-server": "our server, rathole's client",
  "our-client": "rathole's server, our client",
};

/** One value, as measured in one round. */
export interface Sample {
  /** The figure's name in the catalogue, such as `tcp.bulk`. */
  readonly figure: string;
  readonly subject: Subject;
  /** From 0 on. */
  readonly round: number;
  /** In the figure's unit. */
  readonly value: number;
}

/** How the memory of both ends together went while the load came and went. */
export interface Trace {
  readonly subject: Subject;
  /** Seconds since the start, and megabytes (10^6 bytes) of resident memory. */
  readonly points: readonly (readonly [seconds: number, megabytes: number])[];
}

/** What the run was made on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Gibibytes. */
  readonly memory: number;
  readonly kernel: string;
}

/** The file that a run writes. */
export interface Results {
  readonly format: 1;
  /** When it began, as ISO 8601 has it. */
  readonly started: string;
  /** Minutes that it took. */
  readonly minutes: number;
  readonly machine: Machine;
  /** Program → version; `rathole for Deno` has its commit, with `+` where it was changed since. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** How long each rate was measured, in seconds. */
  readonly seconds: number;
  /** The load average of the last minute before the start: was the machine idle? */
  readonly load: number;
  readonly samples: readonly Sample[];
  /** Of the last round. */
  readonly traces: readonly Trace[];
}
