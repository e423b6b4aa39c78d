/**
 * The Rust program that this one is compared with: rathole 0.5.0, built once by cargo into a cache
 * outside the checkout.
 *
 * `cargo install rathole --version 0.5.0 --locked` fails since Rust 1.80: its lock file has
 * time 0.3.29, which no longer compiles. So the published sources are built with their own lock
 * file and that one crate moved on. Takes about two minutes.
 *
 * Run as a program it builds, where that is needed, and prints the path.
 *
 * @module
 */

import { join } from "node:path";

const VERSION = "0.5.0";
/** The first release of the crate that compiles again. */
const TIME_VERSION = "0.3.36";
const EXECUTABLE = Deno.build.os === "windows" ? "rathole.exe" : "rathole";

/** The program named by RATHOLE_PEER, else the one in the cache; null when there is none. */
export async function findPeer(): Promise<string | null> {
  const named = Deno.env.get("RATHOLE_PEER");
  const path = named === undefined || named === "" ? join(cache(), "bin", EXECUTABLE) : named;
  if (await isFile(path)) return path;
  if (path === named) throw new Error(`RATHOLE_PEER names ${path}, which is not there`);
  return null;
}

/** Builds the program into the cache and resolves with its path; another's build is as good. */
export async function buildPeer(): Promise<string> {
  const target = cache();
  const parent = join(target, "..");
  await Deno.mkdir(parent, { recursive: true });
  const work = await Deno.makeTempDir({ dir: parent, prefix: "peer-build-" });
  try {
    const source = join(work, "source");
    await copyFolder(await fetchSource(join(work, "fetch")), source);
    await cargo(["update", "-p", "time", "--precise", TIME_VERSION], source);
    const built = join(work, "root");
    const to = ["--root", built, "--target-dir", join(work, "target")];
    await cargo(["install", "--quiet", "--locked", "--no-track", "--path", ".", ...to], source);
    await publish(built, target);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return join(target, "bin", EXECUTABLE);
}

/** Has cargo download the crate, as a dependency of nothing; resolves with its folder. */
async function fetchSource(folder: string): Promise<string> {
  await Deno.mkdir(join(folder, "src"), { recursive: true });
  await Deno.writeTextFile(join(folder, "src", "lib.rs"), "");
  await Deno.writeTextFile(
    join(folder, "Cargo.toml"),
    `[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n` +
      `[dependencies]\nrathole = "=${VERSION}"\n`,
  );
  const { packages } = JSON.parse(await cargo(["metadata", "--format-version", "1"], folder));
  for (const { name, manifest_path: manifest } of packages) {
    if (name === "rathole") return join(manifest, "..");
  }
  throw new Error("cargo fetched no crate named rathole");
}

/** Runs cargo, which may print what it likes to standard error; resolves with its output. */
async function cargo(args: readonly string[], cwd: string): Promise<string> {
  const command = new Deno.Command("cargo", {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output().catch((cause: unknown) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error("there is no cargo here; install Rust, or name a binary in RATHOLE_PEER");
  });
  if (success) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trimEnd().split("\n").slice(-20).join("\n");
  throw new Error(`cargo ${args[0]} failed:\n${said}`);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** A folder appears whole or not at all; where another build was faster, its result stays. */
async function publish(built: string, target: string): Promise<void> {
  try {
    await Deno.rename(built, target);
  } catch (error) {
    if (!await isFile(join(target, "bin", EXECUTABLE))) throw error;
  }
}

function cache(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const base = Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache");
  return join(base, "rathole-deno", `peer-${VERSION}`);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) console.log(await findPeer() ?? await buildPeer());
