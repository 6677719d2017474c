import type { ObservedStatement, QueryObserver } from '../driver/index.ts';
import type { Answer } from './answer-decoding.ts';
import { disarm } from './call-alarm.ts';
import type { PendingCall } from './pending-call.ts';

/** Gives the callers of one connection their outcomes, one each, and tells the observer. */
export class CallSettlement {
  readonly #observer: QueryObserver;
  readonly #connectionId: number;

  constructor(observer: QueryObserver, connectionId: number) {
    this.#observer = observer;
    this.#connectionId = connectionId;
  }

  succeed(call: PendingCall, answer: Answer): void {
    if (!settle(call)) return;
    if (call.observed) {
      const durationMs = performance.now() - call.startedAt;
      if (this.#observer.record(durationMs, answer.rows))
        this.#observer.succeeded(this.#observed(call, durationMs), answer.rows);
    }
    call.resolve(answer.value);
  }

  fail(call: PendingCall, error: unknown): void {
    if (!settle(call)) return;
    if (call.observed) {
      const durationMs = performance.now() - call.startedAt;
      this.#observer.failed(this.#observed(call, durationMs), error as Error);
    }
    call.reject(error);
  }

  #observed(call: PendingCall, durationMs: number): ObservedStatement {
    const { text, name, params, placement, transactionId } = call;
    return { text, name, params, placement, connectionId: this.#connectionId, transactionId, durationMs };
  }
}

/** @returns false when the caller has its answer already. */
function settle(call: PendingCall): boolean {
  if (call.settled) return false;
  call.settled = true;
  disarm(call);
  return true;
}
