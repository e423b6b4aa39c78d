/**
 * One end of a carrier: which frames it hears, and why it ends.
 *
 * @module
 */

import { Carrier } from "../../src/carrier/carrier.ts";
import { CarrierCounters } from "../../src/carrier/counters.ts";
import type { Stream } from "../../src/carrier/stream.ts";
import type { ForwardCommand } from "../../src/protocol/messages.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import type { EndModel } from "./end_model.ts";
import { FrameTap } from "./frame_tap.ts";
import { pattern } from "./pattern.ts";
import type { Side, WireEnd } from "./wire.ts";
import type { World } from "./world.ts";

/** Types of frames as they are on the wire. */
const [OPEN, RESET, PING, PONG] = [1, 5, 7, 8];

/** Milliseconds, as carriers have them. */
const ANSWER_TIMEOUT = 10_000;
const LEAVE_TIMEOUT = 5_000;

/** Milliseconds of silence after which a carrier asks. */
const QUIET = [0, 2_000, 5_000, 30_000] as const;

/** Aborts an end, the model's and the real one. */
export function abortEnd(end: EndModel, reason?: unknown): void {
  end.abort(reason);
  end.stream?.abort(reason);
}

/** The kind of a stream, by its number. */
export function commandOf(id: number): ForwardCommand {
  return id % 2 === 0 ? "forward-udp" : "forward-tcp";
}

/** See the module. */
export class CarrierModel {
  readonly side: Side;
  readonly carrier: Carrier;
  readonly counters: CarrierCounters = new CarrierCounters();
  readonly wire: WireEnd;
  /** Whether it has ended. */
  lost = false;
  /** Whether its `run` has. */
  over = false;
  /** Whether it opens, or takes, no stream any more. */
  retired = false;
  readonly #world: World;
  readonly #name: string;
  readonly #quiet: number;
  readonly #tap: FrameTap;
  /** What has come, and what is still to be heard of it. */
  #unheard: Uint8Array = new Uint8Array(0);
  /** When it last heard of the other end. */
  #heardAt: number;
  /** Whether it was asked, and has not answered. */
  #owesPong = false;
  /** Set while the test itself ends it. */
  #killing = false;

  /** Runs a carrier on an end of the world's wire. */
  constructor(side: Side, world: World) {
    this.side = side;
    this.wire = world.wire.ends[side];
    this.#world = world;
    this.#name = side === 0 ? "server" : "client";
    this.#quiet = QUIET[world.setting("quiet")] ?? 0;
    this.#heardAt = world.clock.now();
    this.#tap = new FrameTap({
      data: (id, bytes) => world.stream(id)?.ends[side].bytesArrived(bytes),
      control: (type, id, value) => this.#heard(type, id, value),
    });
    this.carrier = new Carrier({
      connection: this.wire,
      buffers: world.buffers,
      clock: world.clock,
      counters: this.counters,
      quiet: this.#quiet,
      accept: side === 0 ? undefined : (stream, command) => this.#accept(stream, command),
    });
    this.#watch();
    this.carrier.run().then(() => void (this.over = true));
  }

  /** Ends it. */
  kill(reason: unknown): void {
    for (const stream of this.#world.streams) stream.reasons.push(reason);
    this.#killing = true;
    this.carrier.abort(reason);
    this.#killing = false;
  }

  /** Has it end with its last stream. */
  retire(): void {
    if (this.retired || this.lost) return;
    this.retired = true;
    const what = this.carrier.streams > 0 ? " with streams" : "";
    this.#world.tally.count(`retired: ${this.#name}${what}`);
    this.carrier.retire();
  }

  /** Where the other end is gone without a word, that must have been noticed. */
  checkSilence(): void {
    if (this.#quiet === 0 || this.lost || this.retired || this.wire.ending !== undefined) return;
    const silence = this.#world.clock.now() - this.#heardAt;
    const look = this.#quiet / 2;
    if (silence <= Math.max(look, ANSWER_TIMEOUT) + look + ANSWER_TIMEOUT) return;
    this.#world.violate(`the ${this.#name} does not notice ${silence} ms of silence`);
  }

  /** What is wrong where nothing is left to happen by itself, and it should have so many streams. */
  findStuck(streams: number): string | undefined {
    if (this.carrier.streams !== streams) {
      return `the ${this.#name} has ${this.carrier.streams} streams, not ${streams}`;
    }
    const { closed, ending, writing } = this.wire;
    if (this.lost || writing || closed || ending !== undefined) return undefined;
    if (this.#owesPong) return `the ${this.#name} does not answer a ping`;
    const mute = this.#world.streams.find(({ ends }) => ends[this.side].owesReset);
    return mute && `the ${this.#name} does not say that it has aborted stream ${mute.index}`;
  }

  #accept(stream: Stream, command: ForwardCommand): void {
    const model = this.#world.stream(stream.id);
    if (model === undefined || command !== commandOf(stream.id)) {
      return this.#world.violate(`stream ${stream.id} was never opened so`);
    }
    const end = model.ends[1];
    end.stream = stream;
    this.#world.trace(`the client accepts stream ${model.index}`);
    this.#act(end);
    this.#hear();
  }

  /** What the client does with a stream at once. */
  #act(end: EndModel): void {
    const { index } = end.of;
    const style = this.#world.setting("accept");
    if (style === 1) return end.read(undefined);
    // As where the service is of another type; and as where it speaks first, and ends.
    if (style === 2 && index === 1) return abortEnd(end, new RatholeError("connect", "no"));
    if (style !== 3) return;
    end.write(pattern(index, 1, 0, 100), false);
    if (index === 1) abortEnd(end);
  }

  #watch(): void {
    const { side, wire } = this;
    const world = this.#world;
    const sent = new FrameTap({
      data: (id, bytes) => world.stream(id)?.ends[side].bytesSent(bytes),
      control: (type, id) => {
        if (type === PING) world.tally.count("pings");
        else if (type === PONG) this.#owesPong = false;
        const end = world.stream(id)?.ends[side];
        if (type === RESET && end !== undefined) end.owesReset = false;
        return false;
      },
    });
    wire.onRead = (chunk) => {
      if (this.lost) return;
      if (chunk === null) return this.#left();
      this.#heardAt = world.clock.now();
      if (this.#unheard.length > 0) world.violate("a stream was not accepted");
      this.#unheard = chunk;
      this.#hear();
      if (this.#tap.within) world.tally.count("frames that came in pieces");
    };
    wire.onWrite = (bytes) => sent.feed(bytes);
    wire.onAbort = (reason) => this.#ended(reason);
  }

  /** Hears what has come, up to where the client is given a stream and may act at once. */
  #hear(): void {
    const chunk = this.#unheard;
    this.#unheard = chunk.subarray(this.#tap.feed(chunk));
  }

  #heard(type: number, id: number, value: number): boolean {
    if (type === PING) this.#owesPong = true;
    const world = this.#world;
    const stream = world.stream(id);
    if (stream === undefined) return false;
    const end = stream.ends[this.side];
    if (type !== OPEN) {
      end.frameArrived(type, value, world.clock.now());
      return false;
    }
    if (!this.retired) return true;
    world.tally.count("streams refused");
    stream.cut = end.over = true;
    end.writtenAtAbort = 0;
    return false;
  }

  /** The other end has closed it: no frame comes any more. */
  #left(): void {
    const world = this.#world;
    world.reconcile();
    for (const { ends } of world.streams) {
      const end = ends[this.side];
      // Those that wait for nothing but their channels may live on.
      if (end.inbound === "moved" && end.outbound !== "open") continue;
      this.#checkLeft(end);
      end.carrierLost(undefined, world.clock.now());
    }
  }

  /** Who leaves a carrier leaves nothing behind, except what it never got to know. */
  #checkLeft({ known, of, other }: EndModel): void {
    const world = this.#world;
    if (!known || world.carriers[other.side].lost) return;
    if (other.stream === undefined || of.cut) return;
    world.violate(`the ${this.#name}'s carrier was left with stream ${of.index} on it`);
  }

  /** It has ended: of the streams at its end, exactly those are cut that still need it. */
  #ended(reason: unknown): void {
    const world = this.#world;
    this.lost = true;
    world.reconcile();
    const why = this.#whyEnded(reason);
    world.tally.count(`carriers ended: ${why}`);
    const left = why === "the other end has left";
    for (const { ends } of world.streams) {
      const end = ends[this.side];
      if (left) this.#checkLeft(end);
      const survives = end.endedByItself && end.route !== undefined && !end.sawEnd;
      if (survives && !left) {
        world.tally.count("ends that had moved completely when the carrier was lost");
      }
      end.carrierLost(reason, world.clock.now());
    }
  }

  #whyEnded(reason: unknown): string {
    const world = this.#world;
    const silence = world.clock.now() - this.#heardAt;
    if (this.#killing) return "by the test";
    if (world.wire.cut) return "by the network";
    if (world.carriers[this.side === 0 ? 1 : 0].lost) return "the other end has ended";
    if (this.wire.ending === "closed") return "the other end has left";
    if (this.#quiet > 0 && silence >= this.#quiet / 2 + ANSWER_TIMEOUT) return "it was silent";
    const alone = this.retired && this.carrier.streams === 0;
    if (alone && world.ticked >= LEAVE_TIMEOUT) return "nobody answered";
    world.violate(`the ${this.#name}'s carrier ended: ${String(reason)}`);
    return "for no reason";
  }
}
