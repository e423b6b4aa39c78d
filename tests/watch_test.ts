/**
 * Files that change, watched: every way of changing one is noticed by the next look.
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { FileWatch } from "../src/watch.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { eventually, soon } from "./support/patience.ts";

const UNIX = { ignore: Deno.build.os === "windows" };
const POLL = 1000;

/** Reads a file whenever it is said to have changed. */
class Reader implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly #path: string;
  readonly #watch: FileWatch;
  readonly #reading: Promise<void>;
  text: string | undefined;
  reads = 0;

  constructor(path: string) {
    this.#path = path;
    this.#watch = new FileWatch([path], { clock: this.clock });
    this.#reading = this.#read();
  }

  /** Lets one look happen, and the text be seen. */
  async until(text: string | undefined): Promise<void> {
    const reads = this.reads;
    if (reads > 0) await this.look();
    await eventually("a reading", () => this.reads, (count) => count === reads + 1);
    equal(this.text, text);
  }

  /** Lets the time for one look pass. */
  async look(): Promise<void> {
    await eventually("a look to be due", () => this.clock.pending, (count) => count === 1);
    this.clock.tick(POLL);
  }

  async #read(): Promise<void> {
    while (await this.#watch.next()) {
      this.text = await Deno.readTextFile(this.#path).catch(() => undefined);
      this.reads++;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
    await soon("the watch to end", this.#reading);
    equal(this.clock.pending, 0);
  }
}

async function directory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("a file written in place, renamed over, unlinked and made anew", async () => {
  await using home = await directory();
  const path = `${home.path}/a.toml`;
  await Deno.writeTextFile(path, "0");
  await using reader = new Reader(path);
  await reader.until("0"); // it reads once, for what changed before it watched
  for (const round of ["1", "2"]) {
    // Longer each time: what is written within the same tick of the kernel's clock has the same times.
    await Deno.writeTextFile(path, `${round} in place`);
    await reader.until(`${round} in place`);

    await Deno.writeTextFile(`${home.path}/new`, `${round}b`);
    await Deno.rename(`${home.path}/new`, path);
    await reader.until(`${round}b`);

    await Deno.remove(path);
    await reader.until(undefined);
    await Deno.writeTextFile(path, `${round}c`);
    await reader.until(`${round}c`);
  }
});

Deno.test("a Kubernetes volume that swaps its link", UNIX, async () => {
  await using home = await directory();
  const swap = async (version: string) => {
    await Deno.mkdir(`${home.path}/..${version}`);
    await Deno.writeTextFile(`${home.path}/..${version}/a.toml`, version);
    await Deno.symlink(`..${version}`, `${home.path}/..data_tmp`);
    await Deno.rename(`${home.path}/..data_tmp`, `${home.path}/..data`);
  };
  await swap("1");
  await Deno.symlink("..data/a.toml", `${home.path}/a.toml`);
  await using reader = new Reader(`${home.path}/a.toml`);
  await reader.until("1");
  for (const version of ["2", "3", "4"]) {
    await swap(version);
    await reader.until(version);
    await Deno.remove(`${home.path}/..${Number(version) - 1}`, { recursive: true });
  }
});

Deno.test("a link to a file elsewhere, and the link itself", UNIX, async () => {
  await using home = await directory();
  await using elsewhere = await directory();
  await using third = await directory();
  const path = `${home.path}/a.toml`;
  await Deno.writeTextFile(`${elsewhere.path}/real`, "1");
  await Deno.writeTextFile(`${third.path}/real`, "3");
  await Deno.symlink(`${elsewhere.path}/real`, path);
  await using reader = new Reader(path);
  await reader.until("1");
  await Deno.writeTextFile(`${elsewhere.path}/real`, "two");
  await reader.until("two");
  await Deno.symlink(`${third.path}/real`, `${home.path}/new`);
  await Deno.rename(`${home.path}/new`, path);
  await reader.until("3");
  await Deno.writeTextFile(`${third.path}/real`, "four");
  await reader.until("four");
});

Deno.test("a directory that goes, comes back, and is watched again", async () => {
  await using parent = await directory();
  const home = `${parent.path}/home`;
  await Deno.mkdir(home);
  await Deno.writeTextFile(`${home}/a.toml`, "1");
  await using reader = new Reader(`${home}/a.toml`);
  await reader.until("1");
  for (const version of ["2", "3"]) {
    await Deno.remove(home, { recursive: true });
    await reader.until(undefined);
    await Deno.mkdir(home);
    await Deno.writeTextFile(`${home}/a.toml`, version);
    await reader.until(version);
    await Deno.writeTextFile(`${home}/a.toml`, `${version} again`);
    await reader.until(`${version} again`);
  }
});

Deno.test("a directory that was swapped for another of its name", UNIX, async () => {
  await using parent = await directory();
  for (const version of ["1", "2"]) {
    await Deno.mkdir(`${parent.path}/${version}`);
    await Deno.writeTextFile(`${parent.path}/${version}/a.toml`, version);
  }
  await Deno.symlink("1", `${parent.path}/current`);
  await using reader = new Reader(`${parent.path}/current/a.toml`);
  await reader.until("1");
  await Deno.symlink("2", `${parent.path}/new`);
  await Deno.rename(`${parent.path}/new`, `${parent.path}/current`);
  await reader.until("2");
  await Deno.writeTextFile(`${parent.path}/2/a.toml`, "three");
  await reader.until("three");
});

Deno.test("a FIFO beside it, and in its place", UNIX, async () => {
  await using home = await directory();
  const path = `${home.path}/a.toml`;
  await Deno.writeTextFile(path, "1");
  await using reader = new Reader(path);
  await reader.until("1");
  await makeFifo(`${home.path}/fifo`);
  await Deno.writeTextFile(path, "two");
  await reader.until("two");
  const watch = new FileWatch([`${home.path}/fifo`], { clock: reader.clock });
  equal(await soon("the first look at it", watch.next()), true);
  await watch[Symbol.asyncDispose]();
});

Deno.test("what looks the same is read every five looks; a hint is heard at once; the end is told", async () => {
  const clock = new FakeClock();
  const watch = new FileWatch(["/nowhere/at/all.toml"], { clock });
  equal(await soon("the first look", watch.next()), true);
  let next = watch.next();
  for (let looks = 1; looks <= 5; looks++) {
    await eventually("a look to be due", () => clock.pending, (count) => count === 1);
    clock.tick(POLL);
  }
  equal(await soon("the fifth look", next), true);
  next = watch.next();
  await eventually("a look to be due", () => clock.pending, (count) => count === 1);
  watch.hint();
  equal(await soon("a hint", next), true);
  watch.hint();
  watch.hint();
  equal(await soon("two hints, which are one", watch.next()), true);
  const last = watch.next();
  await eventually("a look to be due", () => clock.pending, (count) => count === 1);
  await watch[Symbol.asyncDispose]();
  equal(await soon("the end", last), false);
  equal(await watch.next(), false);
  equal(clock.pending, 0);
});

async function makeFifo(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  equal(success, true);
}
