import { CallAlarms, disarm, NEVER_SENT, type CancelReason } from '../driver/index.ts';
import { failCall } from './call-settlement.ts';
import { Line } from '../async/index.ts';
import type { PendingCall } from './pending-call.ts';

/**
 * Calls in line for a connection, in order. One whose time is over, or whose signal aborts, leaves it by
 * itself.
 */
export class CallQueue {
  readonly #calls = new Line<PendingCall>();
  readonly #alarms = new CallAlarms<PendingCall>({
    calls: () => this.#calls,
    cancel: (call, reason) => this.#giveUp(call, reason),
    // While an idle holder has the connection, nothing else would.
    keepsAlive: true,
  });

  get length(): number {
    return this.#calls.length;
  }

  push(call: PendingCall): void {
    if (call.signal?.aborted === true) return failCall(call, call.signal.reason);
    this.#calls.push(call);
    this.#alarms.arm(call);
  }

  /** The longest waiting call, which stays. */
  peek(): PendingCall | undefined {
    return this.#calls.peek();
  }

  /** The longest waiting call, whose turn has come. */
  shift(): PendingCall | undefined {
    const call = this.peek();
    if (call !== undefined) this.#remove(call);
    return call;
  }

  /** Takes one out. @returns false where it has left already */
  take(call: PendingCall): boolean {
    return this.#remove(call);
  }

  rejectAll(error: unknown): void {
    for (let call = this.shift(); call !== undefined; call = this.shift()) failCall(call, error);
  }

  /** Nothing of it was sent, so nothing is left to be undone. */
  #giveUp(call: PendingCall, reason: CancelReason): void {
    this.#remove(call);
    failCall(call, reason(NEVER_SENT));
  }

  #remove(call: PendingCall): boolean {
    if (!this.#calls.remove(call)) return false;
    disarm(call);
    if (this.#calls.length === 0) this.#alarms.stop();
    return true;
  }
}
