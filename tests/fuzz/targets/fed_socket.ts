/**
 * A socket whose peer has said all it ever will.
 *
 * @module
 */

/** Gives out chunks, one a read, then the end; takes whatever is written. */
export class FedSocket implements Deno.TcpConn {
  readonly localAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 2 };
  readonly #chunks: Uint8Array[];
  #at = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks.filter(({ length }) => length > 0);
  }

  /** Bytes that nobody has read. */
  get left(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, -this.#at);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return Promise.resolve(null);
    const part = chunk.subarray(this.#at, this.#at + buffer.length);
    buffer.set(part);
    this.#at += part.length;
    if (this.#at === chunk.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
    return Promise.resolve(part.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#chunks.length = 0;
  }

  get readable(): never {
    throw new Error("nobody reads it as a stream");
  }

  get writable(): never {
    throw new Error("nobody writes it as a stream");
  }

  ref(): void {}
  unref(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}

  [Symbol.dispose](): void {
    this.close();
  }
}
