import { runInRootContext } from '../async/index.ts';
import type { CancelReason, PendingCall } from './pending-call.ts';
import { timeoutError } from './timeout-error.ts';

export interface CallAlarmsParts {
  /** The calls that are under way. */
  readonly calls: () => Iterable<PendingCall>;
  readonly cancel: (call: PendingCall, reason: CancelReason) => void;
  /** The process does not end before. @default false */
  readonly keepsAlive?: boolean;
}

/**
 * What can end the calls of one connection early: their signals and their time. One timer for all calls, set
 * to the first deadline: nearly every call is answered long before its own.
 */
export class CallAlarms {
  readonly #parts: CallAlarmsParts;
  #timer: NodeJS.Timeout | undefined;
  #ringsAt = Infinity;

  constructor(parts: CallAlarmsParts) {
    this.#parts = parts;
  }

  arm(call: PendingCall): void {
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
    // What arrived while the event loop stood still is heard before a limit that passed meanwhile.
    const ring = () => setImmediate(() => this.#ring(ringsAt));
    const leftMs = Math.max(0, ringsAt - performance.now());
    this.#timer = runInRootContext(() => setTimeout(ring, leftMs));
    if (this.#parts.keepsAlive !== true) this.#timer.unref();
  }

  #ring(setFor: number): void {
    // Stopped, or set anew, meanwhile.
    if (setFor !== this.#ringsAt) return;
    this.#ringsAt = Infinity;
    // A timer knows whole milliseconds only, and may come a part of one too early.
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

/** Arms the end of a cancelled call's grace, in which the server may say how it ended. */
export function armGrace(call: PendingCall, graceMs: number, onOver: () => void): void {
  clearTimeout(call.timer);
  call.timer = runInRootContext(() => setTimeout(() => setImmediate(onOver), graceMs));
  call.timer.unref();
}

/** Disarms what could have ended the call early. */
export function disarm(call: PendingCall): void {
  call.deadline = Infinity;
  if (call.timer !== undefined) clearTimeout(call.timer);
  call.timer = undefined;
  if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
  call.onAbort = undefined;
}
