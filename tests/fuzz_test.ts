/**
 * A short run of `deno task fuzz`, in a process of its own that gives way to others. Its seed is
 * another one every time, and in the message of a failure.
 *
 * @module
 */

import { equal, match } from "node:assert/strict";
import { root } from "../scripts/project.ts";
import { TARGETS } from "./fuzz/targets.ts";

/** Minutes: some seconds for each target. */
const MINUTES = "0.75";

Deno.test("0.75 minutes of fuzzing find nothing", { timeout: 240_000 }, async () => {
  const deno = [Deno.execPath(), "run", "--no-prompt", "--quiet"];
  // Deno names no narrower permission for the counters that fuzzing goes by.
  const permissions = [
    "--allow-read",
    "--allow-write",
    "--allow-net",
    "--allow-env",
    "--allow-sys",
  ];
  const fuzz = ["scripts/fuzz.ts", "--minutes", MINUTES, "--no-save"];
  // Inputs are many where the machine has nothing else to do, and fewer where it has.
  const patient = Deno.build.os === "windows" ? [] : ["nice", "-n", "10"];
  const [command = "", ...args] = [...patient, ...deno, ...permissions, ...fuzz];
  const child = new Deno.Command(command, { args, cwd: root, stdin: "null" });
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  equal(code, 0, said);
  match(said, /^[\d,]{5,} inputs, 0 findings$/m);
  for (const name of TARGETS.keys()) match(said, new RegExp(`^${name} +[1-9]`, "m"));
});
