import { equal, match, ok } from "node:assert/strict";
import { RatholeError } from "../runtime/errors.ts";
import { readConfigFile } from "./config_file.ts";
import { FakeIo } from "../../tests/support/fake_io.ts";

async function failure(content: Uint8Array | Error): Promise<RatholeError> {
  const io = new FakeIo();
  io.files.set("a.toml", content);
  try {
    await readConfigFile("a.toml", io);
  } catch (error) {
    ok(error instanceof RatholeError);
    return error;
  }
  throw new Error("it was read");
}

Deno.test("readConfigFile - gives the text, without a byte order mark", async () => {
  const io = new FakeIo();
  io.files.set("a.toml", new Uint8Array([0xef, 0xbb, 0xbf, 0x5b, 0xc3, 0xbc, 0x5d]));
  equal(await readConfigFile("a.toml", io), "[ü]");
  io.files.set("a.toml", "");
  equal(await readConfigFile("a.toml", io), "");
});

Deno.test("readConfigFile - says why it cannot", async () => {
  for (
    const [content, code, message] of [
      [new Deno.errors.NotFound(), "config", /^cannot read 'a.toml': there is no such file$/],
      [new Deno.errors.IsADirectory(), "config", /it is a directory, not a file/],
      [new Deno.errors.NotADirectory(), "config", /a part of the path is not a directory/],
      [new Deno.errors.PermissionDenied(), "config", /the operating system does not allow it/],
      [new Deno.errors.NotCapable(), "permission", /sandbox.*--allow-read=a\.toml$/],
      [new Error("disk on fire"), "config", /^cannot read 'a.toml': disk on fire$/],
      [new Uint8Array([0x5b, 0xff]), "config", /is not UTF-8 text/],
      [new Uint8Array([0xff, 0xfe, 0x5b, 0]), "config", /is UTF-16 text: save it as UTF-8/],
      [new Uint8Array(16 * 1024 * 1024 + 1), "config", /is larger than 16 MiB/],
    ] as const
  ) {
    const error = await failure(content);
    equal(error.code, code);
    match(error.message, message);
  }
});
