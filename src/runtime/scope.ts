/**
 * Structured concurrency: a tree of scopes in which every task has an owner.
 *
 * @module
 */

/** Something that a scope ends when it is left. Must be synchronous, idempotent and not throw. */
export type Ender = (reason: unknown) => void;

/**
 * Owns tasks and resources. Leaving it (`await using`, or {@linkcode Scope.abort} and
 * {@linkcode Scope.join}) aborts its signal, ends what was handed to it, and joins its tasks, its
 * children's included.
 *
 * A task deals with its own expected errors. What escapes it is a fault in this program: it is
 * given to the root's `onFault` and ends nothing but that task.
 */
export class Scope implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #enders = new Set<Ender>();
  /** Scopes below that are not over: not left yet, or with tasks that still run. */
  readonly #children = new Set<Scope>();
  readonly #onFault: (error: unknown) => void;
  readonly #parent: Scope | undefined;
  readonly #leaveParent: (() => void) | undefined;

  /** A root scope; `onFault` hears of errors that escaped a task. */
  constructor(onFault: (error: unknown) => void, parent?: Scope) {
    this.#onFault = onFault;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.add(this);
    this.#leaveParent = parent?.onAbort((reason) => this.abort(reason));
  }

  /** Aborted when the scope is left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the scope is being or has been left. */
  get aborted(): boolean {
    return this.#controller.signal.aborted;
  }

  /** How many of its own tasks are running. */
  get size(): number {
    return this.#tasks.size;
  }

  /** A scope that is left with this one, if not before. */
  child(): Scope {
    return new Scope(this.#onFault, this);
  }

  /** Starts a task that this scope owns. After the scope was left nothing is started any more. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    if (this.aborted) return;
    const over = () => {
      this.#tasks.delete(running);
      this.#retire();
    };
    // One promise a task: every visitor is one.
    const running: Promise<void> = task(this.signal).then(over, (error: unknown) => {
      over();
      this.#onFault(error);
    });
    this.#tasks.add(running);
  }

  /**
   * Has `end` called when the scope is left, at once if it already was. Returns how to take that
   * back. Cheaper than a listener on the signal, so fit for every connection.
   */
  onAbort(end: Ender): () => void {
    if (this.aborted) {
      end(this.signal.reason);
      return () => {};
    }
    this.#enders.add(end);
    return () => void this.#enders.delete(end);
  }

  /** Aborts the signal and ends what the scope holds; does not wait for its tasks. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.#leaveParent?.();
    this.#controller.abort(reason);
    for (const end of this.#enders) end(reason);
    this.#enders.clear();
    this.#retire();
  }

  /** Resolves when no task of this scope or of one below is running. */
  async join(): Promise<void> {
    for (let tasks = this.#running(); tasks.length > 0; tasks = this.#running()) {
      await Promise.all(tasks);
    }
  }

  /** Leaves the scope: aborts, then joins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.join();
  }

  #running(): Promise<void>[] {
    return [...this.#tasks, ...Array.from(this.#children, (child) => child.#running()).flat()];
  }

  /** Has the parent forget a scope that was left and has nothing running. */
  #retire(): void {
    const parent = this.#parent;
    if (parent === undefined || !this.aborted) return;
    if (this.#tasks.size > 0 || this.#children.size > 0) return;
    parent.#children.delete(this);
    parent.#retire();
  }
}
