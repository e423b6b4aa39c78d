/**
 * Datagrams where this program runs as a package: without the unstable flag of deno.json there is
 * no `Deno.listenDatagram`, and node:dgram serves. The tests are those of `udp_test.ts`.
 *
 * Permissions: --allow-read --allow-run
 *
 * @module
 */

import { equal, match } from "node:assert/strict";
import { startChild, WITHOUT_CONFIG } from "./support/child.ts";

Deno.test("udp_test.ts passes without --unstable-net", { timeout: 60_000 }, async () => {
  await using child = startChild(Deno.execPath(), {
    args: ["test", "--no-check", ...WITHOUT_CONFIG, "--allow-net=127.0.0.0/8", "tests/udp_test.ts"],
  });
  // A whole suite, beside others.
  const { code } = await child.ended(55_000);
  equal(code, 0, child.text);
  match(child.text, /ok \| \d+ passed \| 0 failed/);
});
