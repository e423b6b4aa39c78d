import { Certificates } from "./support/certificates.ts";
import { connectionContract } from "./support/connection_contract.ts";
import { tlsClient, tlsPair, tlsServer } from "./support/tls_pair.ts";

await using certificates = await Certificates.make();
const ca = await certificates.ca("ca");
const server = await tlsServer(await certificates.signed(ca));
const client = await tlsClient({ trusted_root: ca.certificate });
connectionContract("tls", () => tlsPair(server, client));

const judging = await tlsServer({
  ...await certificates.signed(ca),
  client_ca: ca.certificate,
});
const showing = await tlsClient({
  trusted_root: ca.certificate,
  ...await certificates.signed(ca, { usage: "client" }),
});
connectionContract("tls with a client certificate", () => tlsPair(judging, showing));
