/**
 * Counting by name.
 *
 * @module
 */

/** How many there are of each; names of which there are none take no room. */
export class Headcount {
  readonly #counts = new Map<string, number>();

  /** How many there are of one. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** One more. */
  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  /** One less. */
  remove(name: string): void {
    const left = this.of(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }
}
