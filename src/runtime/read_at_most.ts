/**
 * Reading files whose size nobody vouches for.
 *
 * @module
 */

/**
 * The first `limit` bytes of a file at most: a path may lead to something that never ends.
 *
 * @throws Deno's errors
 */
export async function readAtMost(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  let bytes = new Uint8Array(Math.min(limit, 16 * 1024));
  let length = 0;
  while (length < limit) {
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(limit, bytes.length * 4));
      larger.set(bytes);
      bytes = larger;
    }
    const n = await file.read(bytes.subarray(length));
    if (n === null) break;
    length += n;
  }
  return bytes.subarray(0, length);
}
