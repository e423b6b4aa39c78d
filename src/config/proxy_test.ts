import assert from "node:assert/strict";
import fc from "fast-check";
import { parseProxy } from "./proxy.ts";

Deno.test("proxies and their parts", () => {
  const cases: [string, ReturnType<typeof parseProxy>][] = [
    ["http://h:80", { scheme: "http", hostname: "h", port: 80 }],
    ["http://h", { scheme: "http", hostname: "h", port: 80 }],
    ["socks5://h:80", { scheme: "socks5", hostname: "h", port: 80 }],
    ["SOCKS5://H/", { scheme: "socks5", hostname: "h", port: 1080 }],
    ["socks5://[::1]", { scheme: "socks5", hostname: "::1", port: 1080 }],
    ["http://[2001:db8::1]:3128/ignored?", {
      scheme: "http",
      hostname: "2001:db8::1",
      port: 3128,
    }],
    ["http://u@h:1", { scheme: "http", hostname: "h", port: 1, username: "u", password: "" }],
    ["socks5://a%40b:p%3A%2F%25@h:1", {
      scheme: "socks5",
      hostname: "h",
      port: 1,
      username: "a@b",
      password: "p:/%",
    }],
    ["socks5://u:100%zz%ff@h:1", {
      scheme: "socks5",
      hostname: "h",
      port: 1,
      username: "u",
      password: "100%zz%ff",
    }],
  ];
  for (const [text, proxy] of cases) assert.deepEqual(parseProxy(text), proxy, text);
});

Deno.test("property: user and password come back, whatever they are", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(text, text, fc.integer({ min: 1, max: 65535 }), (user, pass, port) => {
    const url = `socks5://${encodeURIComponent(user)}:${
      encodeURIComponent(pass)
    }@h.example:${port}`;
    assert.deepEqual(parseProxy(url), {
      scheme: "socks5",
      hostname: "h.example",
      port,
      username: user,
      password: pass,
    });
  }));
});

Deno.test("property: nothing of a URL is in the sentence about it", () => {
  fc.assert(fc.property(fc.string(), (rest) => {
    const result = parseProxy(`socks4://hunter2${rest}`);
    assert(typeof result === "string" && !result.includes("hunter2"));
  }));
});
