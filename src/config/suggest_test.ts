import assert from "node:assert/strict";
import { nearest } from "./suggest.ts";

const WORDS = ["type", "token", "local_addr", "nodelay", "tls", "retry_interval"];

Deno.test("misspelt words are found", () => {
  for (
    const [text, word] of [
      ["tokn", "token"],
      ["Token", "token"],
      ["local-addr", "local_addr"],
      ["localAddr", "local_addr"],
      ["local_address", "local_addr"],
      ["no_delay", "nodelay"],
      ["retry_intervall", "retry_interval"],
      ["tsl", undefined],
      ["tl", "tls"],
      ["password", undefined],
      ["x", undefined],
      ["", undefined],
      ["t".repeat(100_000), undefined],
    ] as const
  ) assert.equal(nearest(text, WORDS), word, text);
});
