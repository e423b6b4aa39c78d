import { equal, match, ok } from "node:assert/strict";
import denoJson from "../../deno.json" with { type: "json" };
import { VERSION } from "../version.ts";
import { HELP_TEXT, VERSION_TEXT } from "./help.ts";

Deno.test("the version is deno.json's", () => {
  equal(VERSION, denoJson.version);
  match(VERSION_TEXT, /^rathole \d+\.\d+\.\d+ \(wire-compatible with rathole 0\.5\.0\)\n$/);
});

Deno.test("the help fits a terminal of 80 columns", () => {
  for (const line of HELP_TEXT.split("\n")) ok(line.length <= 80, line);
});

Deno.test("the help names every option", () => {
  for (
    const option of [
      ...["--server", "--client", "--genkey", "--log-format", "--help", "--version"],
      ...["gen-cert", "--out", "--force"],
    ]
  ) {
    ok(HELP_TEXT.includes(option), option);
  }
});
