import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import { HeadReader, membersOf, onlyValue } from "./head.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function read(text: string) {
  const reader = new HeadReader();
  assert.equal(reader.push(bytesOf(text)), text.length);
  return reader.parse();
}

Deno.test("a head in any pieces, with what follows it left alone", () => {
  const text =
    "GET /a?b HTTP/1.1\r\nHost:example.com\r\nX-Thing: \t one, two;q=1 \r\nx-thing:\r\n\r\n";
  const following = "\x82\x00\r\n\r\n";
  const whole = bytesOf(text + following);
  for (let cut = 0; cut <= text.length; cut++) {
    const reader = new HeadReader();
    const early = reader.push(whole.subarray(0, cut));
    const end = early ?? cut + (reader.push(whole.subarray(cut)) ?? NaN);
    assert.equal(end, text.length);
    const head = reader.parse();
    assert.equal(head.start, "GET /a?b HTTP/1.1");
    assert.deepEqual(head.fields.get("x-thing"), ["one, two;q=1", ""]);
    assert.deepEqual(membersOf(head, "x-thing"), ["one", "two"]);
    assert.equal(onlyValue(head, "host"), "example.com");
    assert.equal(onlyValue(head, "x-thing"), undefined);
    assert.equal(onlyValue(head, "other"), undefined);
  }
});

for (
  const [name, text, reason] of [
    ["a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", /CR or LF by itself/],
    ["a bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", /CR or LF by itself/],
    ["CR CR LF", "GET / HTTP/1.1\r\r\n\r\n", /CR or LF by itself/],
    ["a NUL", "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", /control character/],
    ["DEL", "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", /control character/],
    ["a folded line", "GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", /malformed field/],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", /malformed field/],
    ["no name", "GET / HTTP/1.1\r\n: a\r\n\r\n", /malformed field/],
    ["no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", /malformed field/],
    ["a TLS handshake", "\x16\x03\x01\x02", /a TLS handshake/],
    ["a rathole hello", "\0\0\0\0\x01", /same transport\.type/],
    ["101 fields", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(101)}\r\n`, /more than 100 fields/],
    ["9 KiB of start line", `GET /${"a".repeat(9 << 10)}`, /more than 8 KiB/],
    ["9 KiB of fields", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(1600)}`, /more than 8 KiB/],
  ] as const
) {
  Deno.test(`a head with ${name} is refused, whole and byte by byte`, () => {
    for (const size of [text.length, 1]) {
      const run = () => {
        const reader = new HeadReader();
        for (let at = 0; at < text.length; at += size) {
          if (reader.push(bytesOf(text.slice(at, at + size))) !== null) reader.parse();
        }
      };
      assert.throws(run, { name: "RatholeError", code: "protocol", message: reason });
    }
  });
}

Deno.test("a head of 8 KiB and 100 fields is taken", () => {
  const fields = "a: b\r\n".repeat(99);
  const rest = 8192 - fields.length - "GET / HTTP/1.1\r\nb: \r\n\r\n".length;
  read(`GET / HTTP/1.1\r\n${fields}b: ${"c".repeat(rest)}\r\n\r\n`);
});

Deno.test("no bytes make it throw anything but a `protocol` error", () => {
  const lines = fc.array(
    fc.constantFrom("A: b", "GET / HTTP/1.1", "\r\n", "\r", "\n", ": ", " ", "é"),
  );
  const text = fc.oneof(lines.map((all) => all.join("") + "\r\n\r\n"), fc.string());
  fc.assert(
    fc.property(text, (text) => {
      const reader = new HeadReader();
      try {
        if (reader.push(bytesOf(text)) !== null) reader.parse();
      } catch (error) {
        assert.ok(error instanceof RatholeError && error.code === "protocol");
      }
    }),
    { numRuns: 2000 },
  );
});
