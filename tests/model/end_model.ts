/**
 * One end of a stream: makes the calls, and judges what the real one answers.
 *
 * @module
 */

import { RatholeError } from "../../src/runtime/errors.ts";
import { type Call, EndState, OVER } from "./end_state.ts";
import { describeOrigin, matches } from "./pattern.ts";
import type { WireEnd } from "./wire.ts";

/** What a reset says where the service was not there. */
const UNREACHABLE = 1;

/** Codes that a call may be rejected with. */
const CODES: readonly string[] = ["aborted", "closed", "timeout", "connect"];

/** See the module. */
export class EndModel extends EndState {
  /** Memory to be used again once what is written from it is written. */
  #scratch: Uint8Array | undefined;
  #lent: { readonly chunk: Uint8Array; readonly at: number } | undefined;

  /** Reads. */
  read(max: number | undefined): void {
    const { stream } = this;
    if (stream === undefined || this.reader !== undefined) return;
    this.checkLent();
    this.#lent = undefined;
    const call = this.#call("read", max ?? Infinity);
    this.reader = call;
    stream.read(max).then((chunk) => {
      this.reader = undefined;
      if (call.failure !== undefined) {
        this.violate("a read after the end had failed gave something");
      }
      if (chunk === null) this.#gotEnd();
      else this.#got(chunk, call);
    }, (error: unknown) => {
      this.reader = undefined;
      const unread = this.inbound === "ended" || this.mustEnd || this.taken < this.arrived;
      this.#rejected(call, error, unread);
    });
  }

  /** Writes. */
  write(bytes: Uint8Array, scratch: boolean): void {
    const { stream } = this;
    if (stream === undefined || this.writer !== undefined || this.ended) return;
    const call = this.#call("write", bytes.length);
    this.writer = call;
    this.offered += bytes.length;
    this.#scratch = scratch ? bytes : undefined;
    stream.write(bytes).then(() => {
      this.writer = undefined;
      this.written += bytes.length;
      if (call.failure !== undefined) this.violate("a write after the end had failed went well");
      if (call.reset) this.violate("a write after the stream was reset went well");
      this.#reuse();
    }, (error: unknown) => {
      this.writer = undefined;
      this.#reuse();
      this.#rejected(call, error, false);
    });
  }

  /** Ends its direction. */
  closeWrite(): void {
    const { stream } = this;
    if (stream === undefined || this.writer !== undefined || this.ended) return;
    const call = this.#call("closeWrite", 0);
    this.ended = true;
    if (this.outbound === "open" && !this.over) {
      this.outbound = "ended";
      this.court.tally.count(this.sawEnd ? "ends" : "ends, the other direction still open");
      this.updateOver();
    }
    this.writer = call;
    stream.closeWrite().then(() => {
      this.writer = undefined;
      if (call.failure !== undefined) {
        this.violate("closeWrite after the end had failed went well");
      }
      if (call.reset) this.violate("closeWrite after the stream was reset went well");
    }, (error: unknown) => {
      this.writer = undefined;
      this.#rejected(call, error, false);
    });
  }

  /** What was lent must not have changed. */
  checkLent(): void {
    if (this.#lent === undefined) return;
    const { at, chunk } = this.#lent;
    if (!this.#isRight(chunk, at)) this.violate(`what was lent at ${at} has changed`);
  }

  #call(what: Call["what"], bytes: number): Call {
    this.trace(`${what} ${what === "closeWrite" ? "" : bytes}`);
    return { what, bytes, failure: this.failed, reset: this.resetCode !== undefined };
  }

  #got(chunk: Uint8Array, { bytes }: Call): void {
    const { length } = chunk;
    const at = this.taken;
    if (this.sawEnd) this.violate("bytes after the end");
    if (length === 0) this.violate("a read gave no bytes");
    this.trace(`… ${length} bytes were read`);
    const raw = this.inbound === "moved" && at >= this.arrived;
    // The read that was under way on the data channel knew of no limit.
    const first = raw && this.firstDue;
    if (raw) this.firstDue = false;
    if (length > bytes && !first) this.violate(`a read of ${bytes} gave ${length}`);
    this.taken += length;
    if (!raw && this.taken > this.arrived) this.violate("bytes of the data channel too early");
    if (this.taken > this.other.offered) {
      this.violate(`${this.taken} bytes, more than were written`);
    }
    if (!this.#isRight(chunk, at)) {
      this.violate(`wrong bytes at ${at}: ${describeOrigin(chunk)}`);
    }
    this.#lent = { chunk, at };
    this.court.tally.count("bytes read", length);
    if (raw) this.court.tally.count("bytes read off a data channel", length);
  }

  #isRight(chunk: Uint8Array, at: number): boolean {
    return matches(chunk, this.of.index, this.other.side, at);
  }

  #gotEnd(): void {
    const { other, taken } = this;
    this.sawEnd = true;
    this.trace("… the end was read");
    this.court.tally.count("ends that were read");
    if (this.inbound === "ended") {
      if (taken !== other.offered) this.violate(`the end at ${taken} of ${other.offered}`);
    } else if (this.mustEnd || this.resetCode === OVER) {
      const due = Math.max(this.arrived, other.writtenAtAbort ?? 0);
      if (taken < due) this.violate(`the end at ${taken} of ${due}, by a reset`);
      this.court.tally.count("ends that were read, by a reset");
    } else if (this.inbound === "moved" && this.route !== undefined) {
      this.#gotEndOfRoute(this.route);
    } else {
      this.violate("an end where nothing has ended");
    }
  }

  #gotEndOfRoute({ ending }: WireEnd): void {
    const { of, other, taken } = this;
    if (ending === "closed") {
      if (taken !== other.offered) this.violate(`the end at ${taken} of ${other.offered}, moved`);
      this.court.tally.count("ends that were read off a data channel");
    } else if (ending === "aborted") {
      if (of.lossy) return;
      const due = other.writtenAtAbort ?? Infinity;
      if (taken < due) this.violate(`the end at ${taken} of ${due}, by an abort when moved`);
    } else {
      this.violate("an end where the data channel has not ended");
    }
  }

  #rejected(call: Call, error: unknown, unread: boolean): void {
    this.error ??= error;
    const { of } = this;
    const what = `${call.what} rejected with ${String(error)}`;
    this.trace(`… ${what}`);
    if (call.failure !== undefined) {
      if (!call.failure.matches(error)) this.violate(`${what}, not the first reason`);
      return;
    }
    if (this.failed?.matches(error)) return;
    if (!of.cut) this.violate(`${what}, though nothing was cut`);
    if (unread && this.failed === undefined && !this.mayGiveUp()) {
      this.violate(`${what}, before everything was read`);
    }
    if (this.resetCode === UNREACHABLE && this.route === undefined && this.failed === undefined) {
      if (!(error instanceof RatholeError && error.code === "connect")) {
        this.violate(`${what}, not \`connect\``);
      }
    }
    if (of.reasons.includes(error)) return;
    if (!(error instanceof RatholeError && CODES.includes(error.code))) {
      this.violate(`${what}: no such reason`);
    }
  }

  /** Whoever has written may use its memory again. */
  #reuse(): void {
    this.#scratch?.fill(0xee);
    this.#scratch = undefined;
  }
}
