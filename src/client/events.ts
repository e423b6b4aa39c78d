/**
 * What a client tells those who watch it.
 *
 * @module
 */

import type { Address } from "../runtime/address.ts";

/** Something that happened in a client. `service` is a service's name, `reason` a sentence's end. */
export type ClientEvent =
  | {
    /** The server lets this client offer a service. */
    readonly type: "control-channel-established";
    readonly service: string;
    /** The server. */
    readonly server: Address;
  }
  | {
    /** The service is not offered any more; it is tried again. */
    readonly type: "control-channel-lost";
    readonly service: string;
    readonly server: Address;
    readonly reason: string;
    /** Milliseconds until the next attempt. */
    readonly retryIn: number;
  }
  | {
    /** The service could not be offered; it is tried again. */
    readonly type: "control-channel-failed";
    readonly service: string;
    readonly server: Address;
    readonly reason: string;
    /** Milliseconds until the next attempt. */
    readonly retryIn: number;
  }
  | {
    /** The service is not tried any more, after `max_retries` retries or because it cannot help. */
    readonly type: "gave-up";
    readonly service: string;
    readonly reason: string;
  }
  | {
    /** A data channel that the server asked for could not be opened. */
    readonly type: "data-channel-failed";
    readonly service: string;
    readonly reason: string;
  }
  | {
    /** A connection that visitors of a service share from now on. */
    readonly type: "carrier-opened";
    readonly service: string;
  }
  | {
    /** It has ended; while it is wanted, another is opened. */
    readonly type: "carrier-lost";
    readonly service: string;
    readonly reason: string;
    /** How many visitors' streams it has cut. */
    readonly streams: number;
  }
  | {
    /** None could be opened; it is tried again, and visitors have data channels meanwhile. */
    readonly type: "carrier-failed";
    readonly service: string;
    readonly reason: string;
  }
  | {
    /** A visitor came, and the service itself could not be reached. */
    readonly type: "local-unreachable";
    readonly service: string;
    readonly reason: string;
  }
  | {
    /** A visitor is being served. */
    readonly type: "stream-opened";
    readonly service: string;
  }
  | {
    /** A visitor was served, or its stream was cut. */
    readonly type: "stream-closed";
    readonly service: string;
    /** Why it was cut; undefined when both directions ended by themselves. */
    readonly reason: string | undefined;
  }
  | {
    /** Certificates or keys that had changed on disk are used for new connections from now on. */
    readonly type: "certificate-renewed";
    readonly files: readonly string[];
  }
  | {
    /** Changed certificates or keys cannot be used; those from before stay in use. */
    readonly type: "certificate-refused";
    readonly reason: string;
  }
  | {
    /** The certificate that this client shows ends within 7 days, or is refused for its dates; told once a day. */
    readonly type: "certificate-lifetime";
    readonly file: string;
    readonly state: "not-yet-valid" | "expires-soon" | "expired";
    /** The first second in which it is valid. */
    readonly notBefore: Date;
    /** The last one. */
    readonly notAfter: Date;
  }
  | {
    /** A changed configuration is in force. */
    readonly type: "configuration-updated";
    /** What changed: keys of the block itself, then services, as in `service web: token`. */
    readonly changes: readonly string[];
  }
  | {
    /** Nothing new is taken; open streams may finish. */
    readonly type: "draining";
    /** How many. */
    readonly streams: number;
  }
  | {
    /** The client has ended. */
    readonly type: "stopped";
  }
  | {
    /** An error in this program that ended one of its tasks, and nothing else. */
    readonly type: "fault";
    readonly reason: string;
  };
