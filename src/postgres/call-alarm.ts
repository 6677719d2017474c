import { runInRootContext } from '../async/index.ts';
import type { CancelReason, PendingCall } from './pending-call.ts';
import { timeoutError } from './timeout-error.ts';

/** Arms what can end the call early: its signal and its time. */
export function armLimits(call: PendingCall, end: (call: PendingCall, reason: CancelReason) => void): void {
  const { signal, timeoutMs } = call;
  if (signal !== undefined) {
    call.onAbort = () => end(call, () => signal.reason);
    signal.addEventListener('abort', call.onAbort, { once: true });
  }
  if (timeoutMs === 0) return;
  const leftMs = Math.max(0, timeoutMs - (performance.now() - call.startedAt));
  const onTimeout = () => {
    // Disarmed meanwhile: a call that was moved has the limits of another connection now.
    if (call.timer === timer) end(call, (ending) => timeoutError(call, ending));
  };
  // What arrived while the event loop stood still is heard before a limit that passed meanwhile.
  const timer = setTimeout(() => setImmediate(onTimeout), leftMs);
  timer.unref();
  call.timer = timer;
}

/** Arms the end of a cancelled call's grace, in which the server may say how it ended. */
export function armGrace(call: PendingCall, graceMs: number, onOver: () => void): void {
  clearTimeout(call.timer);
  call.timer = runInRootContext(() => setTimeout(() => setImmediate(onOver), graceMs));
  call.timer.unref();
}

/** Disarms what could have ended the call early. */
export function disarm(call: PendingCall): void {
  if (call.timer !== undefined) clearTimeout(call.timer);
  call.timer = undefined;
  if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
  call.onAbort = undefined;
}
