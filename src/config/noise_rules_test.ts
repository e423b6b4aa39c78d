import assert from "node:assert/strict";
import { CLIENT, report, SERVER, table } from "../../tests/support/expect_report.ts";
import { NOISE_PATTERNS } from "./noise_pattern.ts";

const KEY = `"${btoa("k".repeat(32))}"`;

function noise(side: string, keys: string): string {
  return `${side}transport = { type = "noise", noise = { ${keys} } }`;
}

function pattern(name: string): string {
  return `pattern = "Noise_${name}_25519_ChaChaPoly_BLAKE2s"`;
}

Deno.test("patterns and keys that cannot work", () => {
  const name = "Noise_KKpsk0_25519_ChaChaPoly_BLAKE2s";
  const psk = `client.transport.noise.pattern = "${name}": asks for a pre-shared key, which the ` +
    "configuration has no key for; leave the psk modifier out";
  table([
    [noise(CLIENT, `pattern = "${name}"`), `f:5:41: ${psk}`],
    [
      noise(CLIENT, `pattern = "${name}"`).replace('"noise"', '"tcp"'),
      'f:5:29: warning: client.transport.noise: is not used, since client.transport.type is "tcp"; ' +
      'write type = "noise" to use it',
      `f:5:39: warning: ${psk}`,
    ],
    [
      noise(CLIENT, `local_private_key = "hunter2", remote_public_key = ${KEY}, ${pattern("KK")}`),
      "f:5:41: client.transport.noise.local_private_key = ***: is 5 bytes long; write 32 bytes in " +
      "standard base64, as rathole --genkey prints them",
    ],
  ]);
});

Deno.test("a block that is not there", () => {
  table([
    [
      CLIENT + 'transport = { type = "noise" }',
      "f:5:1: warning: client.transport.noise: is missing, and Noise_NK_25519_ChaChaPoly_BLAKE2s " +
      "cannot work without keys; write [client.transport.noise] with remote_public_key",
    ],
    [
      SERVER + 'transport = { type = "noise" }',
      "f:5:1: warning: server.transport.noise: is missing, and Noise_NK_25519_ChaChaPoly_BLAKE2s " +
      "cannot work without keys; write [server.transport.noise] with local_private_key",
    ],
  ]);
});

/** What is said of the keys of a pattern, from `neither` key written to `both`. */
function remarks(side: string, name: string, keys: "neither" | "both"): string[] {
  const written = keys === "both" ? `, local_private_key = ${KEY}, remote_public_key = ${KEY}` : "";
  const short: [RegExp, string][] = [
    [/remote_public_key: is missing, and \w+ needs it/, "needs theirs"],
    [/warning: .*remote_public_key: is missing, so that any key is taken/, "not pinned"],
    [
      /warning: .*remote_public_key = \*\*\*: has no effect, since in \w+ the \w+ has/,
      "useless pin",
    ],
    [/warning: .*pattern = .*gives the server no key/, "anonymous server"],
    [/warning: .*local_private_key: is missing, .* that no (?:client|server) knows/, "unknown"],
    [/warning: .*local_private_key: is missing, .* which no client can pin/, "cannot be pinned"],
    [/warning: .*local_private_key = \*\*\*: has no effect, since in \w+ the/, "useless key"],
  ];
  return report(noise(side, pattern(name) + written)).map((line) =>
    short.find(([found]) => found.test(line))?.[1] ?? line
  ).sort();
}

Deno.test("what each pattern says of keys that are missing or of no use", () => {
  // Without the digits, which only defer: first the client's letter, then the server's.
  const client: Record<string, [neither: string[], both: string[]]> = {
    NN: [["anonymous server"], ["anonymous server", "useless key", "useless pin"]],
    NK: [["needs theirs"], ["useless key"]],
    NX: [["not pinned"], ["useless key"]],
    KN: [["anonymous server", "unknown"], ["anonymous server", "useless pin"]],
    KK: [["needs theirs", "unknown"], []],
    KX: [["not pinned", "unknown"], []],
    XN: [["anonymous server"], ["anonymous server", "useless pin"]],
    XK: [["needs theirs"], []],
    XX: [["not pinned"], []],
    IN: [["anonymous server"], ["anonymous server", "useless pin"]],
    IK: [["needs theirs"], []],
    IX: [["not pinned"], []],
  };
  const server: Record<string, [neither: string[], both: string[]]> = {
    NN: [[], ["useless key", "useless pin"]],
    NK: [["unknown"], ["useless pin"]],
    NX: [["cannot be pinned"], ["useless pin"]],
    KN: [["needs theirs"], ["useless key"]],
    KK: [["needs theirs", "unknown"], []],
    KX: [["cannot be pinned", "needs theirs"], []],
    XN: [[], ["useless key"]],
    XK: [["unknown"], []],
    XX: [["cannot be pinned"], []],
    IN: [[], ["useless key"]],
    IK: [["unknown"], []],
    IX: [["cannot be pinned"], []],
  };
  for (const name of NOISE_PATTERNS) {
    const letters = name.replaceAll("1", "");
    for (
      const [side, expected] of [[CLIENT, client[letters]], [SERVER, server[letters]]] as const
    ) {
      assert.deepEqual(remarks(side, name, "neither"), expected?.[0], `${side}${name}`);
      assert.deepEqual(remarks(side, name, "both"), expected?.[1], `${side}${name}`);
    }
  }
});

Deno.test("the warnings in full", () => {
  const at = "f:5:41: warning: client.transport.noise.pattern = ";
  table([
    [
      noise(CLIENT, pattern("XX")),
      "f:5:31: warning: client.transport.noise.remote_public_key: is missing, so that any key is " +
      "taken for the server's and anybody who answers there can pose as it; write the server's " +
      "public key in base64",
    ],
    [
      noise(CLIENT, pattern("NN")),
      `${at}"Noise_NN_25519_ChaChaPoly_BLAKE2s": gives the server no key, so that anybody who ` +
      "answers there can pose as it; write a pattern ending in K, such as " +
      "Noise_NK_25519_ChaChaPoly_BLAKE2s",
    ],
    [
      noise(SERVER, pattern("NX")),
      "f:5:31: warning: server.transport.noise.local_private_key: is missing, so that each start " +
      "makes a new key, which no client can pin; write the key of rathole --genkey",
    ],
  ]);
});
