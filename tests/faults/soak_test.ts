/**
 * The soak, in short.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { root } from "../../scripts/project.ts";
import { tableOf } from "../soak/report.ts";
import { soak } from "../soak/soak.ts";

Deno.test(
  "soak: a minute of visitors, reloads, strangers and faults at once over three transports: no " +
    "stream lost, no byte wrong, memory and descriptors flat",
  { ignore: Deno.build.os !== "linux", timeout: 240_000 },
  async () => {
    const result = await soak({ minutes: 1, tree: root });
    const { counts } = result;
    ok(result.flat, tableOf(result));
    // That it was quiet is not what this is to show.
    ok(counts.visitors > 300, tableOf(result));
    ok(counts["reloads applied"] > 10 && counts["reloads refused"] > 3, tableOf(result));
    ok(counts["clients killed"] > 0 && counts["clients stopped"] > 0, tableOf(result));
  },
);
