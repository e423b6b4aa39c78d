/**
 * Every input that fuzzing has kept, the findings of old among them, tried once more.
 *
 * Permissions: --allow-read, --allow-write for certificates, --allow-net=127.0.0.1
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { loadCorpus } from "./fuzz/engine/corpus.ts";
import { formatInput } from "./fuzz/engine/corpus.ts";
import type { Target } from "./fuzz/engine/target.ts";
import { TARGETS } from "./fuzz/targets.ts";
import { soon } from "./support/patience.ts";

for (const [name, make] of TARGETS) {
  Deno.test(`what fuzzing ${name} has kept does no harm`, { timeout: 120_000 }, async () => {
    const target = await make();
    try {
      const inputs = [...target.seeds, ...(await loadCorpus(name)).map(({ bytes }) => bytes)];
      ok(inputs.length > 0);
      const group = target.parallel ?? 1;
      for (let at = 0; at < inputs.length; at += group) {
        await Promise.all(inputs.slice(at, at + group).map((input) => tried(target, input)));
      }
      await target.check?.();
    } finally {
      await target.stop?.();
    }
  });
}

async function tried(target: Target, input: Uint8Array): Promise<void> {
  try {
    await soon("an input to be dealt with", Promise.resolve(target.run(input)), 30_000);
  } catch (cause) {
    throw new Error(`${target.name} fails for ${formatInput(input)}`, { cause });
  }
}
