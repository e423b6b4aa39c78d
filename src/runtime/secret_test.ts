import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

Deno.test("a secret is masked however it is printed", () => {
  const secret = new Secret("hunter2");
  const holder = { token: secret, list: [secret], map: new Map([["a", secret]]) };
  const shown = [
    String(secret),
    `${secret}`,
    "" + secret,
    JSON.stringify(secret),
    JSON.stringify(holder),
    Deno.inspect(secret),
    Deno.inspect(holder, { showHidden: true, depth: 10 }),
    inspect(secret),
    inspect(holder, { showHidden: true, depth: 10 }),
    new Error(`failed with ${secret}`).message,
    Object.entries(secret).join(),
  ];
  for (const text of shown) assert(!text.includes("hunter2"), text);
  assert.equal(String(secret), "***");
  assert.equal(JSON.stringify({ secret }), '{"secret":"***"}');
});

Deno.test("a secret gives its text only when asked", () => {
  const secret = new Secret("hunter2");
  assert.equal(secret.reveal(), "hunter2");
  assert(secret.equals(new Secret("hunter2")));
  assert(!secret.equals(new Secret("hunter3")));
});
