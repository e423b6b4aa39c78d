/**
 * Descriptors of this process.
 *
 * @module
 */

/** Whether they can be counted here. */
export const countable: boolean = Deno.build.os === "linux";

/** How many are open; only another program may look. */
export async function descriptors(): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${Deno.pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}
