/**
 * Runs the thread that fuzzes, and ends it when an input never does.
 *
 * @module
 */

import type { Tally } from "./engine/campaign.ts";
import { saveCrash } from "./engine/corpus.ts";
import { Progress, progressMemory } from "./engine/progress.ts";
import type { Order, Word } from "./worker.ts";

/** Milliseconds that one input may keep the thread busy. */
const LONGEST_RUN = 10_000;

/** Milliseconds after its time that a run may take to end: targets begin and end what they need. */
const LONGEST_END = 60_000;

/** Something that must not be. */
export interface Finding {
  readonly target: string;
  readonly what: string;
  /** The file that has the input. */
  readonly path: string;
}

/** What a run came to. */
export interface Result {
  readonly tallies: readonly Tally[];
  readonly findings: readonly Finding[];
}

/** Fuzzes; `tell` hears of each finding at once. */
export async function runFuzz(
  order: Omit<Order, "memory">,
  tell: (finding: Finding) => void,
): Promise<Result> {
  const memory = progressMemory();
  const progress = new Progress(memory);
  const findings: Finding[] = [];
  const found = (finding: Finding) => {
    findings.push(finding);
    tell(finding);
  };
  const { promise: over, resolve, reject } = Promise.withResolvers<readonly Tally[]>();
  const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<Word>) => {
    if (data.kind === "ready") worker.postMessage({ ...order, memory } satisfies Order);
    else if (data.kind === "over") resolve(data.tallies);
    else if (data.kind === "failed") reject(new Error(`fuzzing failed: ${data.what}`));
    else found({ target: data.target, what: data.what, path: data.path });
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(`the thread that fuzzes died: ${event.message}`));
  });
  let run = 0;
  let since = performance.now();
  const watch = setInterval(async () => {
    const current = progress.current;
    if (current === undefined || current.run !== run) {
      run = current?.run ?? run;
      since = performance.now();
    } else if (performance.now() - since > LONGEST_RUN) {
      clearInterval(watch);
      worker.terminate();
      const target = order.targets[current.target] ?? "unknown";
      const what = `busy for ${LONGEST_RUN} ms with one input`;
      found({ target, what, path: await saveCrash(target, current.input, what) });
      resolve([]);
    }
  }, 500);
  const late = setTimeout(
    () => reject(new Error("fuzzing does not come to its end")),
    order.seconds * 1000 + LONGEST_END,
  );
  try {
    return { tallies: await over, findings };
  } finally {
    clearTimeout(late);
    clearInterval(watch);
    worker.terminate();
  }
}
