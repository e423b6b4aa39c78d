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
import { DESCRIPTORS } from "./memory.ts";
import { covers, estimate, type Plan, programsOf, select } from "./plan.ts";
import { Processes } from "./processes.ts";
import { adviceOn, findPrograms, type Programs, requireProgram } from "./programs.ts";
import { compare } from "./report/compare.ts";
import { summarise } from "./report/table.ts";
import type { Results, Subject } from "./results.ts";
import { type Outcome, run } from "./run.ts";
import { startWeb } from "./web.ts";

/** Runs, writes the results and prints what they say; resolves with the exit code. */
export async function startRun(request: RunRequest): Promise<number> {
  if (Deno.build.os !== "linux") throw new Error("the benchmark needs Linux: it reads /proc");
  // Before it takes long.
  const earlier = request.compare === undefined ? undefined : await readResults(request.compare);
  await using processes = await Processes.make();
  const programs = await findPrograms();
  const plan = planOf(request, programs);
  const checkouts = {
    ours: await checkout(request.ours ?? root),
    ...(request.against === undefined ? {} : { old: await checkout(request.against) }),
  };
  const problems = adviceOn(programsOf(plan), programs);
  const limit = await descriptorLimit(processes);
  if (plan.figures.has("memory.visitors-5000") && limit < DESCRIPTORS) {
    problems.push(
      `5,000 visitors need ${DESCRIPTORS} descriptors a process, and ${limit} is the most that ` +
        "there may be here (ulimit -Hn): raise it, or name other figures by --only",
    );
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const file = request.out ?? await nameOf(processes, checkouts.ours);
  await Deno.mkdir(dirname(file), { recursive: true });
  announce(plan, request);
  using stop = stopper(processes);
  try {
    await using web = await startWeb(processes, requireProgram("nginx", programs));
    const { seconds } = request;
    const { signal } = stop;
    const bench: Bench = { processes, programs, signal, seconds, checkouts, web: web.port };
    const outcome = await run(bench, plan, {
      progress: (line) => console.error(line),
      save: (results) => Deno.writeTextFile(file, serialise(results)),
    });
    return conclude(outcome, file, earlier);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error(`stopped; the rounds that were complete, if any, are in ${file}`);
    return 1;
  }
}

function conclude({ missing, results }: Outcome, file: string, earlier?: Results): number {
  console.log(summarise(results));
  if (earlier !== undefined) console.log(compare(earlier, results));
  console.error(`${results.minutes} minutes; written to ${file}`);
  if (missing.length === 0) return 0;
  console.error(`missing: ${missing.join("; ")}`);
  return 1;
}

/** What is measured, of all subjects that can be, or of those that were named. */
function planOf(request: RunRequest, programs: Programs): Plan {
  const { against, only, rounds, seconds } = request;
  const hasFrp = programs.frps !== undefined && programs.frpc !== undefined;
  const all: Subject[] = ["rathole", "ours", ...(hasFrp ? ["frp" as const] : [])];
  const usual: Subject[] = against === undefined
    ? [...all, "our-server", "our-client"]
    : ["ours", "old"];
  const figures = select(only);
  const subjects = (request.subjects ?? usual)
    .filter((subject) => Array.from(figures).some((figure) => covers(subject, figure)));
  if (subjects.length === 0) throw new Error("none of these figures is measured of these subjects");
  return { subjects, figures, rounds, seconds };
}

function announce(plan: Plan, { against, subjects }: RunRequest): void {
  const minutes = Math.max(1, Math.round(estimate(plan)));
  console.error(`${plan.subjects.join(", ")}: about ${minutes} min`);
  if (plan.subjects.includes("frp") || subjects !== undefined || against !== undefined) return;
  console.error("frp is left out: the environment variables FRPS and FRPC would name its programs");
}

async function checkout(folder: string): Promise<string> {
  const path = resolve(folder);
  const file = await Deno.stat(join(path, "mod.ts")).catch(() => null);
  if (file?.isFile !== true) throw new Error(`${folder} is no checkout: it has no mod.ts`);
  return path;
}

async function nameOf(processes: Processes, folder: string): Promise<string> {
  const time = new Date().toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  const name = `${time}-${await commitOf(processes, folder)}.json`;
  return join(root, "bench", "results", name);
}

/** Aborts at the first signal and ends what runs; at the second everything ends at once. */
function stopper(processes: Processes): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) Deno.exit(1);
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
