/**
 * The numbers of streams on one carrier.
 *
 * @module
 */

/**
 * Numbers go up, not always by one, and begin anew after the last: of two, the newer is less than
 * half of all ahead. 0 is no stream's.
 */
export class Numbers {
  #newest: number | undefined;

  /** Whether no stream of this number can have been opened yet. */
  isNew(id: number): boolean {
    return id === 0 || this.#newest === undefined || (id - this.#newest | 0) > 0;
  }

  /** A stream of this number is opened. */
  opened(id: number): void {
    this.#newest = id;
  }
}
