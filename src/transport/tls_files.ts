/**
 * Files that may change while they are in use: certificates, keys, CAs.
 *
 * @module
 */

import { explain, RatholeError, systemCode } from "../runtime/errors.ts";
import { readAtMost } from "../runtime/read_at_most.ts";
import type { TransportEvents } from "./transport.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Larger than any bundle of certificates. */
const MOST_BYTES = 4 << 20;

/** What files hold, by their paths. */
export type Contents = ReadonlyMap<string, Bytes>;

/** Makes what is used of the files' contents. @throws {RatholeError} `config`, naming the file */
export type Build<T> = (contents: Contents) => T;

/** Follows what the files hold. */
export interface Follower {
  /** They were loaded for the first time, or anew, and are in use. */
  loaded(contents: Contents): void;
  /** They were looked at, and are as they were. */
  unchanged(): void;
}

/**
 * Something made of files, and made anew when they change: written in place, replaced by a rename,
 * or reached through a symbolic link that was swapped.
 *
 * A change that cannot be used is left alone until the next look, since certificate and key are
 * two files and seldom written at once; if it still cannot be used then, it is reported once and
 * not tried again until something changes.
 */
export class LiveFiles<T> {
  readonly #paths: readonly string[];
  readonly #build: Build<T>;
  readonly #events: TransportEvents;
  readonly #follower: Follower | undefined;
  #current: T;
  #contents: Contents;
  #stamp: string;
  #doubted = "";
  #checking: Promise<void> | undefined;

  private constructor(
    paths: readonly string[],
    build: Build<T>,
    events: TransportEvents,
    follower: Follower | undefined,
    first: { readonly value: T; readonly contents: Contents; readonly stamp: string },
  ) {
    this.#paths = paths;
    this.#build = build;
    this.#events = events;
    this.#follower = follower;
    this.#current = first.value;
    this.#contents = first.contents;
    this.#stamp = first.stamp;
  }

  /** Reads the files for the first time. @throws {RatholeError} `config`, `permission` */
  static async open<T>(
    paths: readonly string[],
    build: Build<T>,
    events: TransportEvents,
    follower?: Follower,
  ): Promise<LiveFiles<T>> {
    const stamp = await stampOf(paths);
    const contents = await readAll(paths);
    const value = build(contents);
    follower?.loaded(contents);
    return new LiveFiles(paths, build, events, follower, { value, contents, stamp });
  }

  /** What the files make, as of the last look that found them usable. */
  get current(): T {
    return this.#current;
  }

  /** Looks whether the files have changed. Never rejects; calls while it looks join it. */
  check(): Promise<void> {
    return this.#checking ??= this.#check().finally(() => this.#checking = undefined);
  }

  async #check(): Promise<void> {
    const stamp = await stampOf(this.#paths);
    if (stamp === this.#stamp) return this.#follower?.unchanged();
    let changed;
    try {
      changed = await this.#takeOver();
    } catch (error) {
      if (this.#doubted !== stamp) {
        this.#doubted = stamp;
        return;
      }
      this.#stamp = stamp;
      return this.#events.certificateRefused(explain(error));
    }
    this.#stamp = stamp;
    this.#doubted = "";
    if (changed.length === 0) return;
    this.#events.certificateRenewed(changed);
    this.#follower?.loaded(this.#contents);
  }

  /** Makes anew what is made of the files. @returns the paths of those with other contents */
  async #takeOver(): Promise<string[]> {
    const contents = await readAll(this.#paths);
    const changed = this.#paths.filter((path) => !same(contents, this.#contents, path));
    if (changed.length > 0) {
      this.#current = this.#build(contents);
      this.#contents = contents;
    }
    return changed;
  }
}

/** Tells two states of the files apart without reading them. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(paths.map(async (path) => {
    try {
      const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
      return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
    } catch (error) {
      return systemCode(error) ?? "?";
    }
  }));
  return stamps.join("\n");
}

async function readAll(paths: readonly string[]): Promise<Contents> {
  const contents = new Map<string, Bytes>();
  for (const path of paths) contents.set(path, await readFile(path));
  return contents;
}

function same(a: Contents, b: Contents, path: string): boolean {
  const [x, y] = [a.get(path), b.get(path)];
  return x !== undefined && y !== undefined && x.length === y.length &&
    x.every((byte, i) => byte === y[i]);
}

async function readFile(path: string): Promise<Bytes> {
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    // A pipe would be waited for, and a device may have no end.
    if (!isFile) {
      const what = isDirectory ? "a directory" : "a pipe or device";
      throw new RatholeError("config", `"${path}" is ${what}, not a file`);
    }
    const bytes = await readAtMost(path, MOST_BYTES + 1);
    if (bytes.length > MOST_BYTES) {
      throw new RatholeError("config", `"${path}" is too large (more than 4 MiB)`);
    }
    return bytes;
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function fileError(path: string, cause: unknown): RatholeError {
  if (cause instanceof RatholeError) return cause;
  if (cause instanceof Deno.errors.NotCapable) {
    const message = `the Deno sandbox does not allow reading "${path}"; add --allow-read=${path}`;
    return new RatholeError("permission", message, { cause });
  }
  const because = cause instanceof Deno.errors.NotFound
    ? "there is no such file"
    : cause instanceof Deno.errors.PermissionDenied
    ? "this user may not read it"
    : explain(cause);
  return new RatholeError("config", `cannot read "${path}": ${because}`, { cause });
}
