import { limitWaiting } from './call-limits.ts';
import { failCall } from './call-settlement.ts';
import type { PendingCall } from './pending-call.ts';

/**
 * Calls in line for a connection, in order. One whose time is over, or whose signal aborts, leaves it by
 * itself.
 */
export class CallQueue {
  /** With what lifts the limits of each. */
  readonly #calls = new Map<PendingCall, () => void>();

  get length(): number {
    return this.#calls.size;
  }

  push(call: PendingCall): void {
    if (call.signal?.aborted === true) return failCall(call, call.signal.reason);
    const lift = limitWaiting(call, (error) => {
      if (this.#calls.delete(call)) failCall(call, error);
    });
    this.#calls.set(call, lift);
  }

  /** The longest waiting call, which stays. */
  peek(): PendingCall | undefined {
    return this.#calls.keys().next().value;
  }

  /** The longest waiting call, whose turn has come. */
  shift(): PendingCall | undefined {
    const call = this.peek();
    if (call === undefined) return undefined;
    this.#calls.get(call)!();
    this.#calls.delete(call);
    return call;
  }

  rejectAll(error: unknown): void {
    for (let call = this.shift(); call !== undefined; call = this.shift()) failCall(call, error);
  }
}
