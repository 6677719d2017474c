import { limitWaiting, type CallLimits } from '../driver/index.ts';

/** A call in line. */
export interface QueuedCall extends CallLimits {
  reject(error: unknown): void;
}

/**
 * Calls in line for a connection, in order. One whose time is over, or whose signal aborts, leaves it by
 * itself.
 */
export class CallQueue<Call extends QueuedCall> {
  /** Each with the function that lifts its limits. */
  readonly #calls = new Map<Call, () => void>();

  get length(): number {
    return this.#calls.size;
  }

  push(call: Call): void {
    if (call.signal?.aborted === true) return call.reject(call.signal.reason);
    const lift = limitWaiting(call, (error) => {
      if (this.#calls.delete(call)) call.reject(error);
    });
    this.#calls.set(call, lift);
  }

  /** The longest waiting call, whose turn has come. */
  shift(): Call | undefined {
    const first = this.#calls.entries().next().value;
    if (first === undefined) return undefined;
    const [call, lift] = first;
    this.#calls.delete(call);
    lift();
    return call;
  }

  rejectIf(matches: (call: Call) => boolean, toError: () => unknown): void {
    for (const [call, lift] of [...this.#calls]) {
      if (!matches(call)) continue;
      this.#calls.delete(call);
      lift();
      call.reject(toError());
    }
  }

  rejectAll(error: unknown): void {
    for (let call = this.shift(); call !== undefined; call = this.shift()) call.reject(error);
  }
}
