/**
 * Where a protocol's functions come from, decided once, at start.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import type { Provider, Suite, SuiteName } from "./primitives.ts";

/**
 * The functions that a protocol name asks for, each from node:crypto where that has it, else from
 * the portable implementation, which is loaded only then (it costs some ms and MB).
 *
 * @throws {RatholeError} `unsupported` for a name that is not one of a function here.
 */
export async function openSuite(name: SuiteName): Promise<Suite> {
  const { nodeProvider } = await import("./node_provider.ts");
  return await suiteOf(name, nodeProvider, async () => {
    const { nobleProvider } = await import("./noble_provider.ts");
    return nobleProvider;
  });
}

/** The functions of the first provider, and of the second, once loaded, those that it lacks. */
export async function suiteOf(
  name: SuiteName,
  first: Provider,
  loadSecond: () => Promise<Provider>,
): Promise<Suite> {
  const find = async <F>(what: string, by: (provider: Provider) => F | undefined): Promise<F> => {
    const found = by(first) ?? by(await loadSecond());
    if (found === undefined) {
      throw new RatholeError("unsupported", `no such Noise function: ${what}`);
    }
    return found;
  };
  return {
    dh: await find(name.dh, (provider) => provider.dh(name.dh)),
    cipher: await find(name.cipher, (provider) => provider.cipher(name.cipher)),
    hash: await find(name.hash, (provider) => provider.hash(name.hash)),
  };
}
