/**
 * A configuration file, and the ways in which editors, tools and Kubernetes change one.
 *
 * @module
 */

/** How a file is changed. */
export type Way = "in place" | "rename" | "unlink and create" | "symlink swap";

/** All of them that this system has. */
export const WAYS: readonly Way[] = Deno.build.os === "windows"
  ? ["in place", "rename", "unlink and create"]
  : ["in place", "rename", "unlink and create", "symlink swap"];

/** A file in a directory of its own, which goes with it. */
export class ChangingFile implements AsyncDisposable {
  /** Its directory. */
  readonly directory: string;
  /** Where it is. */
  readonly path: string;
  #versions = 0;

  private constructor(directory: string) {
    this.directory = directory;
    this.path = `${directory}/rathole.toml`;
  }

  /** Makes one with this text. */
  static async make(text: string): Promise<ChangingFile> {
    const file = new ChangingFile(await Deno.makeTempDir());
    await Deno.writeTextFile(file.path, text);
    return file;
  }

  /** Has the file say something else. */
  async change(text: string, way: Way): Promise<void> {
    switch (way) {
      case "in place":
        return await Deno.writeTextFile(this.path, text);
      case "rename":
        await Deno.writeTextFile(`${this.path}.new`, text);
        return await Deno.rename(`${this.path}.new`, this.path);
      case "unlink and create":
        await Deno.remove(this.path);
        return await Deno.writeTextFile(this.path, text);
      case "symlink swap":
        return await this.#swap(text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }

  /** As the kubelet does it: rathole.toml → ..data/rathole.toml, ..data → ..VERSION. */
  async #swap(text: string): Promise<void> {
    const version = `..${++this.#versions}`;
    await Deno.mkdir(`${this.directory}/${version}`);
    await Deno.writeTextFile(`${this.directory}/${version}/rathole.toml`, text);
    await this.#link(version, "..data");
    if (!(await Deno.lstat(this.path)).isSymlink) {
      await this.#link("..data/rathole.toml", "rathole.toml");
    }
    const old = `${this.directory}/..${this.#versions - 1}`;
    if (this.#versions > 1) await Deno.remove(old, { recursive: true });
  }

  async #link(target: string, name: string): Promise<void> {
    await Deno.symlink(target, `${this.directory}/${name}.new`);
    await Deno.rename(`${this.directory}/${name}.new`, `${this.directory}/${name}`);
  }
}
