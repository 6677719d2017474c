import { runInRootContext } from '../async/index.ts';
import type { CancelReason, PendingCall } from './pending-call.ts';
import { timeoutError } from './timeout-error.ts';

/** A timer that is later than this was held up by more than a busy event loop. */
const STALL_MS = 100;

/** Arms what can end the call early: its signal and its time. */
export function armLimits(
  call: PendingCall,
  cancel: (call: PendingCall, reason: CancelReason) => void,
): void {
  const { signal, timeoutMs } = call;
  if (signal !== undefined) {
    call.onAbort = () => cancel(call, () => signal.reason);
    signal.addEventListener('abort', call.onAbort, { once: true });
  }
  if (timeoutMs === 0) return;
  const leftMs = Math.max(0, timeoutMs - (performance.now() - call.startedAt));
  const onTimeout = () => {
    // Disarmed meanwhile: a read that was withdrawn has its number on the board of another connection now.
    if (call.timer === timer) cancel(call, (ending) => timeoutError(call, ending));
  };
  // After a stall the answers that have arrived come first: see `systemClock`.
  const timer = setTimeout(() => setImmediate(onTimeout), leftMs);
  timer.unref();
  call.timer = timer;
}

/** For how long a call that is to end may go without an answer. */
export interface Grace {
  readonly graceMs: number;
  /** The call can only be waited for. */
  readonly isFinal: boolean;
}

/** Arms the end of a cancelled call's grace, in which the worker may say how it ended. */
export function armGrace(call: PendingCall, grace: Grace, onOver: () => void): void {
  const { graceMs, isFinal } = grace;
  const dueMs = performance.now() + graceMs;
  const onGraceOver = () => {
    if (call.settled) return;
    // The whole process stood still, the worker too.
    if (isFinal && performance.now() > dueMs + STALL_MS) return armGrace(call, grace, onOver);
    onOver();
  };
  clearTimeout(call.timer);
  call.timer = runInRootContext(() => setTimeout(() => setImmediate(onGraceOver), graceMs));
  call.timer.unref();
}

/** Disarms what could have ended the call early. */
export function disarm(call: PendingCall): void {
  if (call.timer !== undefined) clearTimeout(call.timer);
  call.timer = undefined;
  if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
}
