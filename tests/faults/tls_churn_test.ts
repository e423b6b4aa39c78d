import assert from "node:assert/strict";
import { SystemClock } from "../../src/runtime/clock.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { Certificates } from "../support/certificates.ts";
import { ANYWHERE } from "../support/tcp_pair.ts";
import { soon } from "../support/patience.ts";
import { tlsClient, tlsPair, tlsServer } from "../support/tls_pair.ts";

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const own = await made.signed(ca);
/** Time stands still: what has closed is closing for ever. */
const clock = new SystemClock(() => 0);
const AT_ONCE = 20;

/** Makes connections and closes them, in rounds of twenty. */
async function churn(server: Transport, client: Transport, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const pairs = await Promise.all(
      Array.from({ length: AT_ONCE }, () => tlsPair(server, client)),
    );
    await Promise.all(pairs.map(async ([near, far]) => {
      await near.write(Uint8Array.of(i));
      assert.deepEqual(await far.read(), Uint8Array.of(i));
      near.abort();
      assert.equal(await far.read(), null);
      far.abort();
    }));
  }
}

/** How many descriptors this process has open; only another program may look. */
async function descriptors(): Promise<number> {
  const args = [`/proc/${Deno.pid}/fd`];
  const { stdout } = await new Deno.Command("ls", { args }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

Deno.test("many connections that end: their descriptors do not pile up at the client", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const server = await tlsServer({ ...own });
  const client = await tlsClient({ trusted_root: ca.certificate }, { clock });
  const before = await descriptors();
  await churn(server, client, 15);
  const more = await descriptors() - before;
  assert.ok(more <= AT_ONCE + 10, `${more} more descriptors`);
});

Deno.test("a server that is not trusted while many connections end is asked once more, once", async () => {
  const server = await tlsServer({ ...own });
  const client = await tlsClient({ trusted_root: ca.certificate }, { clock });
  await churn(server, client, 1);
  const stranger = await tlsServer({ ...await made.signed(await made.ca("another")) });
  using listener = stranger.bind(ANYWHERE);
  for (const times of [2, 1]) {
    const connecting = client.connect(listener.address, { signal: AbortSignal.timeout(10_000) });
    const refused = assert.rejects(soon("a refusal", connecting), { code: "untrusted" });
    for (let i = 0; i < times; i++) {
      await assert.rejects((await soon("a connection", listener.accept())).handshake());
    }
    await refused;
  }
  await churn(server, client, 1);
});
