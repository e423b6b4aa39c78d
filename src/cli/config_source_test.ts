import { deepEqual, equal, match, ok } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { FakeIo } from "../../tests/support/fake_io.ts";
import { follow } from "../../tests/support/turns.ts";
import { type Change, ConfigSource, onRequest } from "./config_source.ts";

const PATH = "a.toml";

function begin(text = "one") {
  const clock = new FakeClock();
  const io = new FakeIo();
  io.files.set(PATH, text);
  const hints = onRequest();
  let reads = 0;
  const source = new ConfigSource(PATH, text, hints, {
    clock,
    isFile: (path) => io.isFile(path),
    readFile: (path, limit) => {
      reads++;
      return io.readFile(path, limit);
    },
  });
  return {
    clock,
    get reads() {
      return reads;
    },
    io,
    source,
    hint: () => hints.hint(),
    write: (text: string | undefined) => {
      if (text === undefined) io.files.delete(PATH);
      else io.files.set(PATH, text);
      hints.hint();
    },
  };
}

function textOf(change: Change | undefined): string {
  if (change === undefined) return "(over)";
  const { reading } = change;
  return "text" in reading ? reading.text : reading.error.message;
}

Deno.test("ConfigSource - hands out a text that stays for 150 ms", async () => {
  const { clock, source, write } = begin();
  const next = follow(source.next().then(textOf));
  await clock.advance(10_000);
  equal(next().state, "pending");
  write("two");
  await clock.advance(100);
  equal(next().state, "pending");
  write("two and a half"); // written in pieces
  await clock.advance(150);
  equal(next().state, "pending");
  await clock.advance(150);
  deepEqual(next(), { state: "fulfilled", value: "two and a half" });
  equal(clock.pending, 0);
  await source[Symbol.asyncDispose]();
});

Deno.test("ConfigSource - a file that is touched, or is what it was in the end, has not changed", async () => {
  const { clock, source, hint, write } = begin();
  const next = follow(source.next());
  hint();
  await clock.advance(2000);
  write("two");
  await clock.advance(100);
  write("one");
  await clock.advance(2000);
  equal(next().state, "pending");
  await source[Symbol.asyncDispose]();
  await clock.advance(0);
  deepEqual(next(), { state: "fulfilled", value: undefined });
  equal(clock.pending, 0);
});

Deno.test("ConfigSource - a file that is missing or empty has a second to come back", async () => {
  for (const gone of [undefined, "", " \n"]) {
    const { clock, source, write } = begin();
    const next = follow(source.next().then(textOf));
    write(gone);
    await clock.advance(900);
    equal(next().state, "pending");
    write("two");
    await clock.advance(450);
    deepEqual(next(), { state: "fulfilled", value: "two" });
    await source[Symbol.asyncDispose]();
  }
});

Deno.test("ConfigSource - a file that stays away is told of once", async () => {
  const { clock, source, hint, write } = begin();
  const gone = follow(source.next().then(textOf));
  write(undefined);
  await clock.advance(1500);
  deepEqual(gone(), {
    state: "fulfilled",
    value: "cannot read 'a.toml': there is no such file",
  });
  const back = follow(source.next().then(textOf));
  hint();
  await clock.advance(10_000);
  equal(back().state, "pending");
  write("one");
  await clock.advance(300);
  deepEqual(back(), { state: "fulfilled", value: "one" });
  await source[Symbol.asyncDispose]();
});

Deno.test("ConfigSource - a file that never comes to rest is taken after 5 s", async () => {
  const { clock, source, write } = begin();
  const next = follow(source.next().then(textOf));
  for (let i = 0; i < 49; i++) {
    write(`change ${i}`);
    await clock.advance(100);
  }
  equal(next().state, "pending");
  for (let i = 49; i < 60; i++) {
    write(`change ${i}`);
    await clock.advance(100);
  }
  equal(next().state, "fulfilled");
  await source[Symbol.asyncDispose]();
  await clock.advance(0);
});

Deno.test("ConfigSource - whoever asks is answered, and gets the latest", async () => {
  const { clock, source, write } = begin();
  source.ask();
  deepEqual(await source.next(), { reading: { text: "one" }, asked: true });
  for (const text of ["two", "three", "four"]) write(text);
  const latest = follow(source.next().then(textOf));
  await clock.advance(300);
  deepEqual(latest(), { state: "fulfilled", value: "four" });
  const none = follow(source.next());
  await clock.advance(10_000);
  equal(none().state, "pending");
  await source[Symbol.asyncDispose]();
});

Deno.test("ConfigSource - does not read again what is no file", async () => {
  const { clock, io, source } = begin();
  io.pipes.add(PATH);
  source.ask();
  const next = follow(source.next().then(textOf));
  await clock.advance(2000);
  const progress = next();
  equal(progress.state, "fulfilled");
  match(String(progress.state === "fulfilled" && progress.value), /not a file that can be read/);
  await source[Symbol.asyncDispose]();
});

Deno.test("ConfigSource - ends while it waits for a file to come to rest", async () => {
  const { clock, source, write } = begin();
  const next = follow(source.next());
  write("two");
  await clock.advance(100);
  await source[Symbol.asyncDispose]();
  await clock.advance(0);
  deepEqual(next(), { state: "fulfilled", value: undefined });
  equal(clock.pending, 0);
});

Deno.test("ConfigSource - a directory in which much happens costs a look in 150 ms at most", async () => {
  const it = begin();
  const next = follow(it.source.next());
  for (let ms = 0; ms < 1500; ms += 10) {
    it.hint();
    await it.clock.advance(10);
  }
  ok(it.reads >= 5 && it.reads <= 11, `${it.reads} looks`);
  equal(next().state, "pending");
  await it.source[Symbol.asyncDispose]();
  await it.clock.advance(0);
  equal(it.clock.pending, 0);
});
