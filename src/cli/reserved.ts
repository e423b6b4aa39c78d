/**
 * Words that name a command. They win over a configuration file of that name, from the first
 * release on, so that no file name changes its meaning when the command arrives; `./check` is
 * always the file.
 *
 * @module
 */

/** What each command that is planned and not there yet will do. */
export const RESERVED_COMMANDS: ReadonlyMap<string, string> = new Map([
  ["check", "validates a configuration without running it"],
  ["completions", "prints completions for a shell"],
  ["init", "writes a matching server and client configuration"],
  ["permissions", "prints the Deno permissions that a configuration needs"],
  ["reload", "makes a running rathole read its configuration again"],
  ["service", "installs rathole as a system service"],
  ["status", "shows what a running rathole does"],
]);
