/**
 * Suites that must pass with carriers and without: `CARRIERS=0 deno task test:faults`.
 *
 * @module
 */

/** What configurations of tests get that say nothing of carriers. */
export const CARRIERS: { readonly carriers?: number } = fromEnvironment();

/** Data channels that such a configuration keeps in reserve for a TCP service with a client of ours. */
export const RESERVE: number = CARRIERS.carriers === 0 ? 8 : 2;

/**
 * A configuration file of ours (never of the Rust program) with the same in each block that says
 * nothing of carriers itself.
 */
export function bothWays(toml: string): string {
  const { carriers } = CARRIERS;
  if (carriers === undefined || /^carriers\b/m.test(toml)) return toml;
  return toml.replaceAll(/^\[(?:server|client)\]$/gm, `$&\ncarriers = ${carriers}`);
}

function fromEnvironment(): { carriers?: number } {
  const name = { name: "env", variable: "CARRIERS" } as const;
  if (Deno.permissions.querySync(name).state !== "granted") return {};
  const carriers = Deno.env.get("CARRIERS");
  return carriers === undefined ? {} : { carriers: Number(carriers) };
}
