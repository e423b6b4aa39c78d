/**
 * Memory that is given back before the garbage collector gets to it.
 *
 * @module
 */

/** Below, the collector is cheaper. */
const WORTH_IT = 4096;

/**
 * Frees the memory of an array that nobody uses any more, if it is an array buffer's only one. What
 * the runtime's cryptography returns is a new buffer each time; the collector counts such a buffer
 * as the few bytes of its object, and lets hundreds of megabytes of them gather under bulk.
 */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.length < WORTH_IT || bytes.length !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
