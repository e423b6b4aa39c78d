import assert from "node:assert/strict";
import { startClient } from "./client.ts";

Deno.test("an update that the sandbox does not allow is refused before anything changes", async () => {
  const services = { it: { local_addr: "127.0.0.1:1", token: "a" } };
  await using client = await startClient({ remote_addr: "127.0.0.1:1", services });
  const before = client.status();
  const changes = [
    { remote_addr: "192.0.2.1:1", services },
    { remote_addr: "127.0.0.1:1", services: { it: { local_addr: "192.0.2.1:1", token: "a" } } },
    {
      remote_addr: "127.0.0.1:1",
      services: {
        ...services,
        udp: { type: "udp", local_addr: "elsewhere.invalid:1", token: "a" },
      },
    },
  ] as const;
  for (const change of changes) {
    await assert.rejects(client.update(change), { code: "permission" });
    const { server, services } = client.status();
    assert.deepEqual(server, before.server);
    assert.deepEqual(services.map(({ name, localAddress }) => [name, localAddress]), [
      ["it", "127.0.0.1:1"],
    ]);
  }
});
