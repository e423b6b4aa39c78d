/**
 * What the kernel knows of other processes. Linux only.
 *
 * @module
 */

/** A look at one process. */
export interface Usage {
  /** Bytes of anonymous memory: what it has made, without its files. */
  readonly anonymous: number;
  /** Bytes of resident memory. */
  readonly resident: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** Looks at a process; /proc is only for programs that run outside of the sandbox. */
export async function usageOf(pid: number): Promise<Usage> {
  const [status, descriptors] = await Promise.all([
    output("cat", `/proc/${pid}/status`),
    output("ls", `/proc/${pid}/fd`),
  ]);
  const bytes = (key: string) => {
    const kilobytes = new RegExp(`^${key}:\\s*(\\d+) kB$`, "m").exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${key}`);
    return Number(kilobytes) * 1024;
  };
  return {
    anonymous: bytes("RssAnon"),
    resident: bytes("VmRSS"),
    descriptors: descriptors.trim().split("\n").length,
  };
}

async function output(program: string, path: string): Promise<string> {
  const { stdout, success } = await new Deno.Command(program, { args: [path] }).output();
  if (!success) throw new Error(`${program} ${path} failed: the process is gone`);
  return new TextDecoder().decode(stdout);
}
