/**
 * Counts the bytes that the program asks for, as `new Uint8Array(length)`: a length that a stranger
 * may choose must never be one of them.
 *
 * @module
 */

const Plain = Uint8Array;
let bytes = 0;

const Counting: typeof Plain = new Proxy(Plain, {
  construct(target, args: unknown[]): Uint8Array {
    const [length] = args;
    if (typeof length === "number") bytes += length;
    return Reflect.construct(target, args);
  },
});

/** Counts from 0 on. */
export function startCounting(): void {
  bytes = 0;
  globalThis.Uint8Array = Counting;
}

/** Stops, and returns the count. */
export function stopCounting(): number {
  globalThis.Uint8Array = Plain;
  return bytes;
}
