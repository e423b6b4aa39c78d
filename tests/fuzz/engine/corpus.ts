/**
 * Inputs worth keeping, one file of lines a target: text in quotes as JSON has it, other bytes in
 * hex. A line that begins with `!` was a finding once, and stays for ever.
 *
 * @module
 */

/** The folder of all corpora. */
const FOLDER = new URL("../../testdata/fuzz/", import.meta.url);
/** Findings that nobody has mended yet. */
const CRASHES = new URL("crashes/", FOLDER);

/** An input that is kept. */
export interface Entry {
  readonly bytes: Uint8Array;
  /** Whether it was a finding. */
  readonly found: boolean;
}

/** The entries of a target; none where it has no file yet. */
export async function loadCorpus(target: string): Promise<Entry[]> {
  let text;
  try {
    text = await Deno.readTextFile(new URL(`${target}.corpus`, FOLDER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => ({
    bytes: parseInput(line.replace(/^! */, "")),
    found: line.startsWith("!"),
  }));
}

/** Writes the entries of a target, the shortest first. */
export async function saveCorpus(target: string, entries: readonly Entry[]): Promise<void> {
  const lines = entries
    .map(({ bytes, found }) => `${found ? "! " : ""}${formatInput(bytes)}`)
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const text = ["# Inputs of tests/fuzz, one a line.", ...new Set(lines), ""].join("\n");
  await Deno.writeTextFile(new URL(`${target}.corpus`, FOLDER), text);
}

/** Keeps a finding; returns the path of its file. */
export async function saveCrash(target: string, input: Uint8Array, what: string): Promise<string> {
  await Deno.mkdir(CRASHES, { recursive: true });
  const line = formatInput(input);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", input.slice()));
  const url = new URL(`${target}-${digest.toHex().slice(0, 12)}.txt`, CRASHES);
  const comment = what.split("\n").map((part) => `# ${part}`).join("\n");
  await Deno.writeTextFile(url, `${comment}\n${line}\n`);
  return url.pathname;
}

/** An input as one line of text. */
export function formatInput(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/(?![\t\n\r])\p{Cc}/u.test(text)) return JSON.stringify(text);
  } catch {
    // No text: hex, then.
  }
  return bytes.toHex();
}

/** The reverse of {@linkcode formatInput}. */
export function parseInput(line: string): Uint8Array {
  if (!line.startsWith('"')) return Uint8Array.fromHex(line);
  const text: unknown = JSON.parse(line);
  if (typeof text !== "string") throw new Error(`no input of a corpus: ${line}`);
  return new TextEncoder().encode(text);
}
