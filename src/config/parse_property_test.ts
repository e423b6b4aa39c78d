import assert from "node:assert/strict";
import fc from "fast-check";
import { parseConfig } from "./parse.ts";
import { ConfigError, formatKey, formatProblem } from "./problem.ts";
import { validateClientConfig, validateServerConfig } from "./validate.ts";

const TESTDATA = new URL("../../tests/testdata/config/", import.meta.url);
const FILES = [...Deno.readDirSync(TESTDATA)].map(({ name }) =>
  Deno.readTextFileSync(new URL(name, TESTDATA))
);
const SECRETS =
  /shared between|only for the|opens the|p%40ss|03hX6wWk|literal|long_random|bG9uZ19|ends in a/;

/** Parses whatever it is; everything but a ConfigError with sound problems fails the test. */
function survive(text: string): string {
  try {
    return parseConfig(text, { file: "f" }).warnings.map(formatProblem).join("\n");
  } catch (error) {
    assert(error instanceof ConfigError, `${error} for ${JSON.stringify(text)}`);
    assert(error.problems.some(({ severity }) => severity === "error"));
    const lines = text.split(/\r?\n/);
    for (const { line = 0, column = 0, message } of error.problems) {
      assert(line >= 1 && line <= lines.length, `line ${line}`);
      assert(column >= 1 && column <= (lines[line - 1] ?? "").length + 2, `column ${column}`);
      assert(message.length > 0);
    }
    assert(!error.message.includes("undefined"), error.message);
    return error.problems.map(formatProblem).join("\n");
  }
}

const file = fc.constantFrom(...FILES);

Deno.test("property: a file cut anywhere loads or is refused, and shows no secret", () => {
  fc.assert(fc.property(file, fc.nat(2500), (text, at) => {
    assert.doesNotMatch(survive(text.slice(0, at)), SECRETS);
    assert.doesNotMatch(survive(text.slice(at)), SECRETS);
  }));
});

Deno.test("property: a file with one edit loads or is refused, and shows no secret", () => {
  const edit = fc.record({
    at: fc.nat(2500),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom('"', "'", '"""', "=", ".", "\n", "[", "]", "{", "}", "#", "\\", "1", "-"),
    ),
  });
  fc.assert(
    fc.property(file, edit, (text, { at, remove, insert }) => {
      const edited = text.slice(0, at) + insert + text.slice(at + remove);
      assert.doesNotMatch(survive(edited), SECRETS);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("property: lines in any order, twice or not at all", () => {
  fc.assert(fc.property(
    file.chain((text) => fc.array(fc.constantFrom(...text.split("\n")), { maxLength: 40 })),
    (lines) => {
      assert.doesNotMatch(survive(lines.join("\n")), SECRETS);
    },
  ));
});

Deno.test("property: any text, and any bytes read as text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
    survive(text);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    survive(new TextDecoder().decode(bytes));
  }));
});

Deno.test("property: values of any type under any key", () => {
  const keys = [
    ...["server", "client", "services", "transport", "tls", "token", "type", "__proto__"],
    ...["websocket", "headers", "trusted_proxies"],
  ];
  const value = fc.constantFrom(
    ...[
      "1",
      "-1",
      "1.0",
      "nan",
      "true",
      '""',
      "'x:1'",
      "[]",
      "['::1', 1]",
      "[{}]",
      "{}",
      "1979-05-27",
      "{a={}}",
    ],
  );
  const line = fc.tuple(fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 5 }), value);
  fc.assert(fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
    survive(lines.map(([path, text]) => `${path.join(".")} = ${text}`).join("\n"));
  }));
});

Deno.test("property: any service name is kept and reported as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => {
    const quoted = JSON.stringify(name).replaceAll("\u007f", "\\u007f");
    const { config, written } = parseConfig(
      `[client]\nremote_addr = "a:1"\n[client.services.${quoted}]\nlocal_addr = "b:2"\ntoken = "t"`,
    );
    assert.deepEqual([...config.client?.services.keys() ?? []], [name]);
    assert(written(["client", "services", name, "token"]));
    assert(written(formatKey(["client", "services", name, "token"])));
  }));
});

Deno.test("property: what was parsed is a valid set of options and comes back the same", () => {
  for (const text of FILES) {
    const { server, client } = parseConfig(text).config;
    if (server) assert.deepEqual(validateServerConfig(server), server);
    if (client) assert.deepEqual(validateClientConfig(client), client);
  }
});
