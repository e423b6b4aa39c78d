/**
 * Text that must not reach a log, an error or a status page.
 *
 * @module
 */

const MASK = "***";

/**
 * Holds a token, password or private key. However it is printed — string conversion, JSON,
 * `Deno.inspect`, `console.log`, a structured log record — only `***` appears.
 */
export class Secret {
  readonly #value: string;

  /** Wraps the text. */
  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. Call it where it is used, and keep the result out of objects. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same text. For configuration changes, not for judging a peer's proof. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  /** Always `***`. */
  toString(): string {
    return MASK;
  }

  /** Always `***`. */
  toJSON(): string {
    return MASK;
  }

  /** Always `***`. */
  [Symbol.for("Deno.customInspect")](): string {
    return MASK;
  }

  /** Always `***`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }
}
