/**
 * What a server tells those who watch it.
 *
 * @module
 */

import type { Address } from "../runtime/address.ts";

/** Something that happened in a server. `service` is a service's name, `reason` a sentence's end. */
export type ServerEvent =
  | {
    /** Clients can connect. */
    readonly type: "listening";
    /** Where; a port of 0 has become a real one. */
    readonly address: Address;
  }
  | {
    /** A client proved that it may offer a service. */
    readonly type: "control-channel-established";
    readonly service: string;
    /** The client's address as the server sees it. */
    readonly peer: Address;
  }
  | {
    /** A service has no client any more, or another one. */
    readonly type: "control-channel-lost";
    readonly service: string;
    readonly peer: Address;
    readonly reason: string;
    /** Whether this side wanted it: the server stops, or has the service no longer. */
    readonly wanted: boolean;
  }
  | {
    /** A connection that visitors of a service share from now on. */
    readonly type: "carrier-opened";
    readonly service: string;
    readonly peer: Address;
  }
  | {
    /** It has ended. */
    readonly type: "carrier-lost";
    readonly service: string;
    readonly peer: Address;
    readonly reason: string;
    /** How many visitors' streams it has cut. */
    readonly streams: number;
  }
  | {
    /** Visitors can connect. */
    readonly type: "service-listening";
    readonly service: string;
    readonly address: Address;
  }
  | {
    /** Visitors can connect no longer: the client is gone, or the service is. */
    readonly type: "service-closed";
    readonly service: string;
    /** Where they did. */
    readonly address: Address;
  }
  | {
    /** Visitors cannot connect although a client is there; it is tried again. */
    readonly type: "service-bind-failed";
    readonly service: string;
    readonly reason: string;
    /** Milliseconds until the next attempt. */
    readonly retryIn: number;
  }
  | {
    /** A visitor was turned away. */
    readonly type: "visitor-refused";
    readonly service: string;
    readonly peer: Address;
    readonly reason: string;
  }
  | {
    /** A visitor is being served. */
    readonly type: "stream-opened";
    readonly service: string;
    readonly peer: Address;
  }
  | {
    /** A visitor was served, or its stream was cut. */
    readonly type: "stream-closed";
    readonly service: string;
    readonly peer: Address;
    /** Why it was cut; undefined when both directions ended by themselves. */
    readonly reason: string | undefined;
  }
  | {
    /** Somebody connected to the tunnel's address and did not get in. */
    readonly type: "handshake-failed";
    readonly peer: Address;
    readonly reason: string;
  }
  | {
    /** A connection was closed as it came, because of a limit. */
    readonly type: "connection-refused";
    readonly peer: Address;
    readonly reason: string;
  }
  | {
    /** The system gives no more connections at an address (out of descriptors, most often). */
    readonly type: "accept-failed";
    readonly address: Address;
    readonly reason: string;
  }
  | {
    /** It does again. */
    readonly type: "accept-recovered";
    readonly address: Address;
  }
  | {
    /** The sandbox lets UDP replies go to some addresses only; visitors elsewhere get none. */
    readonly type: "udp-replies-limited";
  }
  | {
    /** Certificates or keys that had changed on disk are served to new connections from now on. */
    readonly type: "certificate-renewed";
    readonly files: readonly string[];
  }
  | {
    /** Changed certificates or keys cannot be used; those from before stay in use. */
    readonly type: "certificate-refused";
    readonly reason: string;
  }
  | {
    /** The certificate that this server shows ends within 7 days, or is refused for its dates; told once a day. */
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
    /** Nothing new is accepted; open streams may finish. */
    readonly type: "draining";
    /** How many. */
    readonly streams: number;
  }
  | {
    /** The server has ended. */
    readonly type: "stopped";
  }
  | {
    /** An error in this program that ended one of its tasks, and nothing else. */
    readonly type: "fault";
    readonly reason: string;
  };
