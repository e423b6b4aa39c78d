/**
 * From the command line's request to a run: what is needed is looked for first, and all that was
 * started is gone in the end.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { root } from "../../scripts/project.ts";
import type { RunRequest } from "./arguments.ts";
import type { Bench } from "./context.ts";
import { readResults, serialise } from "./file.ts";
import { commitOf, descriptorLimit } from "./machine.ts";
import { obstacleToLoss } from "./lossy.ts";
import { DESCRIPTORS, MOST_VISITORS } from "./memory.ts";
import { covers, estimate, groupOf, type Plan, programsOf, select } from "./plan.ts";
import { Processes } from "./processes.ts";
import { adviceOn, findPrograms, type Programs, requireProgram } from "./programs.ts";
import { compare } from "./report/compare.ts";
import { summarise } from "./report/table.ts";
import { minutesText } from "./report/wording.ts";
import type { Results, Subject } from "./results.ts";
import { type Outcome, run } from "./run.ts";
import { startWeb } from "./web.ts";

/** Milliseconds after a signal in which more of them are the same request. */
const SAME_REQUEST = 1000;

/** Runs, writes the results and prints what they say; resolves with the exit code. */
export async function startRun(request: RunRequest): Promise<number> {
  if (Deno.build.os !== "linux") throw new Error("the benchmark needs Linux: it reads /proc");
  // Before it takes long.
  const earlier = request.compare === undefined ? undefined : await readResults(request.compare);
  await using processes = await Processes.make();
  const programs = await findPrograms();
  const figures = await withoutObstacles(select(request.only), processes, programs);
  const plan = planOf(request, figures, programs);
  const checkouts = {
    ours: await checkout(request.ours ?? root),
    ...(request.against === undefined ? {} : { old: await checkout(request.against) }),
  };
  const problems = adviceOn(programsOf(plan), programs);
  const limit = await descriptorLimit(processes);
  if (plan.figures.has(MOST_VISITORS) && limit < DESCRIPTORS) {
    problems.push(
      `5,000 visitors need ${DESCRIPTORS} descriptors a process, and ${limit} is the most that ` +
        "there may be here (ulimit -Hn): raise it, or name other figures by --only",
    );
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const path = request.out ?? await nameOf(processes, checkouts.ours);
  using stop = stopper(processes);
  await using file = await reserve(path);
  announce(plan, request, programs);
  try {
    await using web = await startWeb(processes, requireProgram("nginx", programs));
    const { seconds } = request;
    const { signal } = stop;
    const bench: Bench = { processes, programs, signal, seconds, checkouts, web: web.port };
    const outcome = await run(bench, plan, {
      progress: (line) => console.error(line),
      save: (results) => file.save(serialise(results)),
    });
    return conclude(outcome, path, earlier);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const rest = file.saved
      ? `the rounds that were complete are in ${path}`
      : "no round was complete";
    console.error(`stopped; ${rest}`);
    return 1;
  }
}

function conclude({ missing, results }: Outcome, file: string, earlier?: Results): number {
  console.log(summarise(results));
  if (earlier !== undefined) console.log(compare(earlier, results));
  console.error(`${minutesText(results)}; written to ${file}`);
  if (missing.length === 0) return 0;
  console.error(`missing: ${missing.join("; ")}`);
  return 1;
}

/** What is measured, of all subjects that can be, or of those that were named. */
function planOf(request: RunRequest, figures: ReadonlySet<string>, programs: Programs): Plan {
  const { against, rounds, seconds } = request;
  const hasFrp = programs.frps !== undefined && programs.frpc !== undefined;
  const all: Subject[] = ["rathole", "ours", "channels", ...(hasFrp ? ["frp" as const] : [])];
  const usual: Subject[] = against === undefined
    ? [...all, "our-server", "our-client"]
    : ["ours", "old"];
  const named = request.subjects !== undefined;
  const subjects = (request.subjects ?? usual)
    .filter((subject) => Array.from(figures).some((figure) => covers(subject, figure, named)));
  if (subjects.length === 0) throw new Error("none of these figures is measured of these subjects");
  return { subjects, named, figures, rounds, seconds };
}

/** Leaves out what this machine cannot do, and says so. */
async function withoutObstacles(
  figures: ReadonlySet<string>,
  processes: Processes,
  programs: Programs,
): Promise<ReadonlySet<string>> {
  const lossy = Array.from(figures).filter((figure) => groupOf(figure) === "loss");
  if (lossy.length === 0) return figures;
  const why = await obstacleToLoss(processes, programs);
  if (why === undefined) return figures;
  console.error(`loss is left out: ${why}`);
  return figures.difference(new Set(lossy));
}

function announce(plan: Plan, { against, subjects }: RunRequest, programs: Programs): void {
  const minutes = Math.max(1, Math.round(estimate(plan)));
  console.error(`${plan.subjects.join(", ")}: about ${minutes} min`);
  if (subjects !== undefined || against !== undefined) return;
  if (!Array.from(plan.figures).some((figure) => covers("frp", figure))) return;
  const missing = (["frps", "frpc"] as const).filter((name) => programs[name] === undefined)
    .map((name) => name.toUpperCase());
  const [first, second] = missing;
  if (first === undefined) return;
  const why = second === undefined
    ? `the environment variable ${first} would name the other of its programs`
    : `the environment variables ${first} and ${second} would name its programs`;
  console.error(`frp is left out: ${why}`);
}

async function checkout(folder: string): Promise<string> {
  const path = resolve(folder);
  const file = await Deno.stat(join(path, "mod.ts")).catch(() => null);
  if (file?.isFile !== true) throw new Error(`${folder} is no checkout: it has no mod.ts`);
  return path;
}

async function nameOf(processes: Processes, folder: string): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
  const name = `${time}-${await commitOf(processes, folder)}.json`;
  return join(root, "bench", "results", name);
}

/** The file of results. */
interface Reserved extends AsyncDisposable {
  /** Whether it has any of this run. */
  readonly saved: boolean;
  save(text: string): Promise<void>;
}

/**
 * Sees to it that the file can be written, before a run that would be for nothing. What it holds
 * stays until there is something else; a new one is removed again when nothing came.
 */
async function reserve(path: string): Promise<Reserved> {
  let created = true;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    try {
      (await Deno.open(path, { write: true, createNew: true })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      created = false;
      (await Deno.open(path, { write: true })).close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`the results cannot be written to ${path}: ${why}`, { cause });
  }
  let saved = false;
  return {
    get saved() {
      return saved;
    },
    async save(text) {
      await Deno.writeTextFile(path, text);
      saved = true;
    },
    async [Symbol.asyncDispose]() {
      if (created && !saved) await Deno.remove(path);
    },
  };
}

/**
 * Aborts at the first signal and ends what runs; at another everything ends at once. Not at one
 * soon after the first: of one Ctrl-C, the terminal tells this process, and `deno task` once more.
 */
function stopper(processes: Processes): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - first < SAME_REQUEST) return;
      Deno.exit(1);
    }
    first = performance.now();
    controller.abort(new Error("stopped"));
    processes.killAll();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
