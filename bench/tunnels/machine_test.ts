import { equal } from "node:assert/strict";
import { versionIn } from "./machine.ts";

Deno.test("versionIn - as each program prints it", () => {
  equal(versionIn("wrk debian/4.1.0-3 [epoll] Copyright (C) 2012 Will Glozer\n"), "4.1.0-3");
  equal(versionIn("nginx version: nginx/1.22.1\n"), "1.22.1");
  equal(versionIn("iperf 3.12 (cJSON 1.7.15)\nLinux 6.18.4 x86_64\n"), "3.12");
  equal(versionIn("0.70.0\n"), "0.70.0");
  const built = "rathole \nBuild Timestamp:     2026-11-29T20:50:04.364Z\n" +
    "Build Version:       0.5.0\nCommit SHA:          None\n";
  equal(versionIn(built), "0.5.0");
  equal(versionIn("sh: not found"), "unknown");
});
