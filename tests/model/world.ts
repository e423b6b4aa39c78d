/**
 * Two real carriers on a simulated network, and the models of their streams.
 *
 * @module
 */

import type { BufferStore } from "../../src/net/buffers.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { CarrierModel, commandOf } from "./carrier_model.ts";
import type { Court } from "./court.ts";
import type { EndModel } from "./end_model.ts";
import { type Setting, setting, type Setup } from "./schedule.ts";
import { StreamModel } from "./stream_model.ts";
import type { Tally } from "./tally.ts";
import { type Side, Wire } from "./wire.ts";

/** The server's and the client's. */
export const SIDES: readonly Side[] = [0, 1];
const CAPACITY = [Infinity, 200_000, 20_000, 1_000, 100, 1] as const;
/** Microtasks in which whatever is to follow from an event has followed. */
const MICROTASKS = 12;

/** What a run has to do with others. */
export interface WorldOptions {
  readonly buffers: BufferStore;
  readonly tally: Tally;
  /** Hears what happens, for people. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** See the module. */
export class World implements Court {
  readonly setup: Setup;
  readonly tally: Tally;
  readonly clock: FakeClock = new FakeClock();
  readonly wire: Wire;
  readonly carriers: readonly [CarrierModel, CarrierModel];
  readonly streams: StreamModel[] = [];
  /** Every wire there is, the carriers' first. */
  readonly wires: Wire[] = [];
  /** Milliseconds that have passed. */
  ticked = 0;
  /** What has gone wrong first. */
  violation: string | undefined;
  /** Whether everything is to be let through. */
  #wide = false;
  readonly buffers: BufferStore;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #byId = new Map<number, StreamModel>();

  /** Two carriers, no stream. */
  constructor(setup: Setup, options: WorldOptions) {
    this.setup = setup;
    this.tally = options.tally;
    this.buffers = options.buffers;
    this.#trace = options.trace;
    this.wire = this.makeWire("carrier");
    this.carriers = [new CarrierModel(0, this), new CarrierModel(1, this)];
  }

  /** What the setup says. */
  setting(name: Setting): number {
    return setting(this.setup, name);
  }

  /** See {@linkcode Court.violate}. */
  violate(what: string): void {
    this.trace(`WRONG: ${what}`);
    this.violation ??= what;
  }

  /** See {@linkcode Court.trace}. */
  trace(line: string): void {
    this.#trace?.(line);
  }

  /** See {@linkcode Court.traced}. */
  get traced(): boolean {
    return this.#trace !== undefined;
  }

  /** A connection of the carriers, or for a stream. */
  makeWire(kind: "carrier" | "channel"): Wire {
    const wire = new Wire({
      capacity: this.#wide ? Infinity : CAPACITY[this.setting(kind)] ?? Infinity,
      destroys: this.setting("destroys") === 1,
      prompt: this.setting("prompt") === 1,
      slow: this.setting("slow") === 1,
      broken: (what) => this.violate(`${what} on the wire of a ${kind}`),
    });
    this.wires.push(wire);
    return wire;
  }

  /** Opens a stream at the server. */
  open(): void {
    const id = this.streams.length + 1;
    const stream = new StreamModel(this.streams.length, id, this);
    this.streams.push(stream);
    this.#byId.set(id, stream);
    stream.ends[0].stream = this.carriers[0].carrier.begin(id, commandOf(id));
    this.tally.count("streams opened");
  }

  /** Ends that exist. */
  ends(): EndModel[] {
    return this.streams.flatMap(({ ends }) => ends.filter((end) => end.stream !== undefined));
  }

  /** The stream of a number. */
  stream(id: number): StreamModel | undefined {
    return this.#byId.get(id);
  }

  /** The client is told of a stream's data channel, on it. */
  tell({ channel, ends, id }: StreamModel): void {
    if (channel === undefined) return;
    this.trace(`the client is told of the channel of stream ${id - 1}`);
    channel.used[1] = true;
    this.reconcile();
    const [server, client] = ends;
    const end = channel.wire.ends[1];
    const stream = this.carriers[1].carrier.stream(id);
    if ((stream !== undefined) !== client.known) {
      this.violate(`the client ${stream ? "knows" : "does not know"} stream ${id}`);
    }
    if (stream === undefined) {
      this.tally.count("channels that the client closed");
      if (!client.endedByItself) server.of.loseChannel();
      end.abort(new RatholeError("closed", "the stream has ended meanwhile"));
      return;
    }
    const taken = client.moveTo(end, this.clock.now(), false);
    stream.moveTo({ connection: end });
    if (!taken && !end.aborted) this.violate("a channel that is of no use was not closed");
  }

  /** The server goes on over a stream's data channel. */
  move({ channel, ends: [server], index }: StreamModel): void {
    if (channel === undefined || server.stream === undefined) return;
    this.trace(`the server moves stream ${index}`);
    channel.used[0] = true;
    this.reconcile();
    const end = channel.wire.ends[0];
    const { first } = channel;
    const taken = server.moveTo(end, this.clock.now(), first !== undefined);
    server.stream.moveTo({ connection: end, first, release: () => void channel.released++ });
    if (taken) return;
    this.tally.count("channels that the server closed");
    // The other end finds out.
    if (!server.endedByItself) server.of.loseChannel();
    if (!end.aborted) this.violate("a channel that is of no use was not closed");
    if (channel.released !== 1) this.violate("a channel that is of no use was not released");
  }

  /** Time passes, and nothing else happens. */
  tick(ms: number): void {
    this.ticked += ms;
    this.clock.tick(ms);
    for (const end of this.ends()) end.expire(this.clock.now());
    for (const carrier of this.carriers) carrier.checkSilence();
  }

  /** Everything arrives from now on as it was written. */
  widen(): void {
    this.#wide = true;
    for (const wire of this.wires) wire.widen();
  }

  /** Microtasks run, and nothing else. */
  async breathe(): Promise<void> {
    for (let i = 0; i < MICROTASKS; i++) await null;
  }

  /** Whatever follows without the network follows. */
  async settle(): Promise<void> {
    await turn();
    await turn();
    if (this.#findStuck() === undefined) return;
    // Before anything is called stuck.
    for (let i = 0; i < MICROTASKS; i++) await turn();
    const stuck = this.#findStuck();
    if (stuck !== undefined) this.violate(stuck);
  }

  /** Takes over which ends have given up by themselves, where they may. */
  reconcile(): void {
    for (const { ends, id } of this.streams) {
      for (const end of ends) {
        if (!end.known || this.carriers[end.side].carrier.stream(id) !== undefined) continue;
        end.giveUp();
      }
    }
  }

  #findStuck(): string | undefined {
    this.reconcile();
    const known = [0, 0];
    for (const { ends } of this.streams) {
      for (const end of ends) {
        if (end.known) known[end.side] = (known[end.side] ?? 0) + 1;
        const stuck = end.findStuck(this.carriers[end.side].wire.writing);
        if (stuck !== undefined) return stuck;
      }
    }
    for (const carrier of this.carriers) {
      const stuck = carrier.findStuck(known[carrier.side] ?? 0);
      if (stuck !== undefined) return stuck;
    }
    return undefined;
  }
}

/** Lets the event loop go round. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
