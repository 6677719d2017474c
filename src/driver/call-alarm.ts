import { runInRootContext } from '../async/index.ts';
import { timeoutError, type CancelReason } from './call-ending.ts';
import type { CallLimits } from './call-limits.ts';

/** A timer that is later than this was held up by more than a busy event loop. */
const STALL_MS = 100;

/** A call under way, as its alarms see it. */
export interface AlarmedCall extends CallLimits {
  /** The caller has its answer. */
  readonly settled: boolean;
  /** Set once the call is to end. */
  readonly cancelReason: CancelReason | undefined;
  /** `performance.now()` when the call's time is over; Infinity where nothing watches that. */
  deadline: number;
  /** The timer of a cancelled call's grace. */
  timer: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
}

export interface CallAlarmsParts<Call extends AlarmedCall> {
  /** The calls that are under way. */
  readonly calls: () => Iterable<Call>;
  readonly cancel: (call: Call, reason: CancelReason) => void;
  /** True where the process must not end before a limit passes. @default false */
  readonly keepsAlive?: boolean | undefined;
}

/**
 * What can end the calls of one connection early: their signals and their time. One timer serves all calls
 * and is set to the first deadline: nearly every call is answered long before its own, and a timer for each
 * would be most of what a call leaves to the garbage collector.
 */
export class CallAlarms<Call extends AlarmedCall> {
  readonly #parts: CallAlarmsParts<Call>;
  #timer: NodeJS.Timeout | undefined;
  #ringsAt = Infinity;

  constructor(parts: CallAlarmsParts<Call>) {
    this.#parts = parts;
  }

  arm(call: Call): void {
    const { signal, timeoutMs } = call;
    if (signal !== undefined) {
      call.onAbort = () => this.#parts.cancel(call, () => signal.reason);
      signal.addEventListener('abort', call.onAbort, { once: true });
    }
    if (timeoutMs === 0) return;
    call.deadline = call.startedAt + timeoutMs;
    if (call.deadline < this.#ringsAt) this.#set(call.deadline);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ringsAt = Infinity;
  }

  #set(ringsAt: number): void {
    clearTimeout(this.#timer);
    this.#ringsAt = ringsAt;
    // After a stall the answers that have arrived come first: see `systemClock`.
    const ring = () => setImmediate(() => this.#ring(ringsAt));
    const leftMs = Math.max(0, ringsAt - performance.now());
    this.#timer = runInRootContext(() => setTimeout(ring, leftMs));
    if (this.#parts.keepsAlive !== true) this.#timer.unref();
  }

  #ring(setFor: number): void {
    // Stopped, or set again, in the meantime.
    if (setFor !== this.#ringsAt) return;
    this.#ringsAt = Infinity;
    // Timers count whole milliseconds, so this one may be up to a millisecond early.
    const now = Math.max(performance.now(), setFor);
    let next = Infinity;
    for (const call of [...this.#parts.calls()]) {
      if (call.settled || call.cancelReason !== undefined) continue;
      if (call.deadline <= now) this.#parts.cancel(call, (ending) => timeoutError(call, ending));
      else next = Math.min(next, call.deadline);
    }
    if (next < this.#ringsAt) this.#set(next);
  }
}

/** How long a call that is to end may go without an answer. */
export interface Grace {
  readonly graceMs: number;
  /** True where the call can only be waited for: nothing can stop it any more. @default false */
  readonly isFinal?: boolean;
}

/** Calls `onOver` when a cancelled call has had no answer for the length of its grace. */
export function armGrace(call: AlarmedCall, grace: Grace, onOver: () => void): void {
  const { graceMs, isFinal = false } = grace;
  const dueMs = performance.now() + graceMs;
  const onGraceOver = () => {
    if (call.settled) return;
    // The whole process stood still, and whatever answers it may have too.
    if (isFinal && performance.now() > dueMs + STALL_MS) return armGrace(call, grace, onOver);
    onOver();
  };
  clearTimeout(call.timer);
  call.timer = runInRootContext(() => setTimeout(() => setImmediate(onGraceOver), graceMs));
  call.timer.unref();
}

/** Disarms whatever could have ended the call early. */
export function disarm(call: AlarmedCall): void {
  if (call.timer !== undefined) clearTimeout(call.timer);
  call.timer = undefined;
  call.deadline = Infinity;
  if (call.onAbort !== undefined) call.signal?.removeEventListener('abort', call.onAbort);
  call.onAbort = undefined;
}
