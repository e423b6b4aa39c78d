/**
 * The proof that the hand-written public types and the schema say the same: `deno check` fails here
 * when they drift apart. Nothing imports this file, and nothing in it exists at run time.
 *
 * @module
 */

import type * as v from "valibot";
import type { Secret } from "../runtime/secret.ts";
import type { ClientOptions, ServerOptions } from "./options.ts";
import type { ClientOutput, clientSchema, ServerOutput, serverSchema } from "./schema.ts";
import type {
  ClientConfig,
  ClientServiceConfig,
  ServerConfig,
  ServerServiceConfig,
} from "./types.ts";

/** Without `readonly`, and intersections flattened: what remains to compare is keys and types. */
type Plain<T> = T extends Secret | ((...args: never) => unknown) ? T
  : T extends ReadonlyMap<infer K, infer V> ? { entries: [K, Plain<V>] }
  : T extends object ? { -readonly [K in keyof T]: Plain<T[K]> }
  : T;
type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends
  (<T>() => T extends Plain<B> ? 1 : 2) ? true
  : false;
/** `Config` as it is before inheritance: what services take from elsewhere may be missing. */
type Uninherited<C extends { services: ReadonlyMap<string, unknown> }, S, K extends keyof S> =
  & Omit<C, "services">
  & {
    services: ReadonlyMap<string, Omit<S, K> & { [P in K]?: S[P] | undefined }>;
  };
type Proof<T extends true[]> = T;

/** Each entry that is not `true` is a type error in this file. */
export type SchemaProof = Proof<[
  Same<v.InferInput<typeof serverSchema>, ServerOptions>,
  Same<v.InferInput<typeof clientSchema>, ClientOptions>,
  Same<ServerOutput, Uninherited<ServerConfig, ServerServiceConfig, "token" | "nodelay">>,
  Same<
    ClientOutput,
    Uninherited<
      ClientConfig,
      ClientServiceConfig,
      "token" | "nodelay" | "retry_interval" | "max_retries"
    >
  >,
  ServerConfig extends ServerOptions ? true : false,
  ClientConfig extends ClientOptions ? true : false,
]>;
