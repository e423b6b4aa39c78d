/**
 * What a changed `transport` block means to a server's clients.
 *
 * @module
 */

import { sameValue } from "./difference.ts";
import type { TransportConfig } from "./types.ts";

/**
 * `none`: nothing that is in use changed. `kept`: who is connected can go on, its next connections
 * are understood as the ones before. `anew`: they may not be, and who was let in under the old
 * terms has to come in under the new.
 */
export type TransportChange = "none" | "kept" | "anew";

/** Judges the change of a server's transport. */
export function transportChange(before: TransportConfig, after: TransportConfig): TransportChange {
  if (sameValue(inUse(before), inUse(after))) return "none";
  return sameValue(terms(before), terms(after)) ? "kept" : "anew";
}

/** The settings that the selected type looks at. */
function inUse({ type, tcp, tls, noise, websocket }: TransportConfig): Partial<TransportConfig> {
  switch (type) {
    case "tcp":
      return { type, tcp };
    case "tls":
      return { type, tcp, tls };
    case "noise":
      return { type, tcp, noise };
    case "websocket":
      return { type, tcp, websocket, tls: websocket?.tls ? tls : undefined };
  }
}

/** What a client must match: not the server's own identity, which it checks by its issuer. */
function terms(config: TransportConfig) {
  const { type, noise, tls, websocket } = inUse(config);
  return {
    type,
    noise,
    client_ca: tls?.client_ca,
    websocket: websocket && { tls: websocket.tls, path: websocket.path },
  };
}
