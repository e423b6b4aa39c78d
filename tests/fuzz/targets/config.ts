/**
 * Configuration files.
 *
 * @module
 */

import { differenceOf, type Side } from "../../../src/config/difference.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { ConfigError } from "../../../src/config/problem.ts";
import { validateClientConfig, validateServerConfig } from "../../../src/config/validate.ts";
import type { Config } from "../../../src/config/types.ts";
import { must, type Target } from "../engine/target.ts";
import { lineOf, textTarget } from "./text.ts";

const SECRETS = /hunter2/;

/** Files as users write them. */
const FOLDERS = ["../../../examples/", "../../testdata/config/"];

function exampleFiles(): string[] {
  const files = FOLDERS.flatMap((path) => {
    const folder = new URL(path, import.meta.url);
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory
        ? [...Deno.readDirSync(new URL(`${name}/`, folder))].map((it) =>
          `${folder}${name}/${it.name}`
        )
        : [`${folder}${name}`]
    );
  });
  return files.filter((file) => file.endsWith(".toml")).map((file) =>
    Deno.readTextFileSync(new URL(file))
  );
}

/** Keys of every table, and what TOML is made of. */
const TOKENS = [
  ...["[server]", "[client]", "[server.services.a]", "[client.services.a]", "[[x]]", "[a.b]", "\n"],
  ...["bind_addr = ", "remote_addr = ", "local_addr = ", "default_token = ", "token = ", "type = "],
  ...[
    '"hunter2"',
    '"127.0.0.1:1"',
    "'x'",
    '"""',
    "'''",
    "{ a = 1 }",
    "[1, 'a']",
    "true",
    "1.5",
    "nan",
  ],
  ...[
    "0x10",
    "1_000",
    "-1",
    "1979-05-27T07:32:00Z",
    '"30s"',
    "#",
    "\\u0000",
    "\\",
    "=",
    ".",
    '"',
    "{",
  ],
  ...["transport", "services", "noise", "tls", "websocket", "headers", "trusted_proxies", "proxy"],
  ...["__proto__", "constructor", "strict = true", "\u202e", "\ufeff", "\r\n", "[", "]", "}", "\t"],
];

/** What is accepted is a valid set of options; what is refused says where, and shows no secret. */
export function configFiles(): Target {
  let last: Config = { server: undefined, client: undefined };
  return textTarget({
    name: "config-files",
    texts: exampleFiles(),
    tokens: TOKENS,
    longest: 3000,
    batch: 32,
    read(text) {
      let parsed;
      try {
        parsed = parseConfig(text, { file: "f" });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return refusal(text, error);
      }
      for (const warning of parsed.warnings) must(!SECRETS.test(lineOf(warning)), "a secret shown");
      const { server, client } = parsed.config;
      if (server !== undefined) {
        must(validateServerConfig(server).services.size === server.services.size, "lost services");
        unchanged(server, validateServerConfig(server));
        if (last.server !== undefined) differenceOf(last.server, server);
      }
      if (client !== undefined) {
        must(validateClientConfig(client).services.size === client.services.size, "lost services");
        unchanged(client, validateClientConfig(client));
        if (last.client !== undefined) differenceOf(last.client, client);
      }
      last = parsed.config;
      const warning = parsed.warnings[0]?.message.replaceAll(/".*?"/g, "…").slice(0, 40);
      return `${server?.transport.type} ${client?.transport.type} ${warning}`;
    },
  });
}

function refusal(text: string, error: ConfigError): string {
  const errors = error.problems.filter(({ severity }) => severity === "error");
  must(errors.length > 0, "refused for nothing");
  must(!error.message.includes("undefined"), error.message);
  const lines = text.split(/\r?\n/);
  for (const problem of error.problems) {
    const { line = 0, column = 0, message } = problem;
    must(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
    must(column >= 1 && column <= (lines[line - 1] ?? "").length + 2, `column ${column}`);
    must(message !== "", "a problem without a message");
    must(
      !SECRETS.test(lineOf(problem)) || !isOnlySecret(text),
      `a secret shown: ${lineOf(problem)}`,
    );
  }
  const [first] = errors;
  return first?.message.replaceAll(/".*?"|\[.*?\]|\b[a-z]+_\w+|\d+/g, "…").slice(0, 50) ?? "";
}

/** Whether the word stands only where a secret may: in quotes, as the value of a token. */
function isOnlySecret(text: string): boolean {
  return !SECRETS.test(text.replaceAll(/^(?:default_)?token = "hunter2"$/gm, ""));
}

function unchanged<S extends object, C extends Side<S>>(before: C, after: C): void {
  const { keys, added, removed, changed } = differenceOf<S, C>(before, after);
  must(keys.size + added.size + removed.size + changed.size === 0, "different from itself");
}
