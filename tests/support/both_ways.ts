/**
 * Suites that must pass with carriers and without: `CARRIERS=0 deno task test:faults`.
 *
 * @module
 */

/** What configurations of tests get that say nothing of carriers. */
export const CARRIERS: { readonly carriers?: number } = fromEnvironment();

function fromEnvironment(): { carriers?: number } {
  const name = { name: "env", variable: "CARRIERS" } as const;
  if (Deno.permissions.querySync(name).state !== "granted") return {};
  const carriers = Deno.env.get("CARRIERS");
  return carriers === undefined ? {} : { carriers: Number(carriers) };
}
