import assert from "node:assert/strict";
import fc from "fast-check";
import { fromPem, toPem } from "./pem.ts";

Deno.test("property: PEM gives back what was put in, in lines of 64 characters at most", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
    const pem = toPem("CERTIFICATE", new Uint8Array(bytes).buffer);
    const lines = pem.split("\n");
    assert.equal(lines[0], "-----BEGIN CERTIFICATE-----");
    assert.deepEqual(lines.slice(-2), ["-----END CERTIFICATE-----", ""]);
    assert(lines.slice(1, -3).every(({ length }) => length === 64));
    assert(lines.every((line) => line.length <= 64));
    const around = `before\r\n${pem.replaceAll("\n", "\r\n")}after`;
    assert.deepEqual(new Uint8Array(fromPem("CERTIFICATE", around) ?? assert.fail()), bytes);
  }));
});

Deno.test("the first block of the label counts, others are passed over", () => {
  const key = toPem("PRIVATE KEY", Uint8Array.of(1).buffer);
  const [one, two] = [2, 3].map((byte) => toPem("CERTIFICATE", Uint8Array.of(byte).buffer));
  const all = `${key}${one}${two}`;
  assert.deepEqual(new Uint8Array(fromPem("CERTIFICATE", all) ?? assert.fail()), Uint8Array.of(2));
  assert.deepEqual(new Uint8Array(fromPem("PRIVATE KEY", all) ?? assert.fail()), Uint8Array.of(1));
});

Deno.test("texts without such a block", () => {
  const pem = toPem("CERTIFICATE", Uint8Array.of(1, 2, 3).buffer);
  for (
    const text of [
      "",
      "nonsense",
      pem.replace("BEGIN", "START"),
      pem.replace("-----END", "----END"),
      pem.replace("AQID", ""),
      pem.replace("AQID", "AQI*"),
      pem.replace("AQID", "A"),
      pem.split("\n").toReversed().join("\n"),
    ]
  ) {
    assert.equal(fromPem("CERTIFICATE", text), undefined, text);
  }
  assert.equal(fromPem("PRIVATE KEY", pem), undefined);
});

Deno.test("property: any text gives bytes or nothing", () => {
  const line = fc.constantFrom(
    "-----BEGIN X-----",
    "-----END X-----",
    "AQID",
    "AQ==",
    "A",
    "=",
    "\n",
  );
  fc.assert(fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
    fromPem("X", lines.join("\n"));
    fromPem("X", lines.join(""));
  }));
});
