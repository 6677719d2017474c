import {
  disarm,
  rejectCall,
  type ObservedStatement,
  type QueryObserver,
  type StatementTables,
} from '../driver/index.ts';
import type { Answer } from './answer-decoding.ts';
import type { Failure } from './failure.ts';
import type { PendingCall } from './pending-call.ts';
import { translateFailure, type FailedStatement } from './translate-failure.ts';

interface SettlementParts {
  readonly observer: QueryObserver;
  tablesOf(text: string): StatementTables | undefined;
}

/** Gives the callers of one connection their outcomes, one each, and tells the observer. */
export class CallSettlement {
  readonly #observer: QueryObserver;
  readonly #parts: SettlementParts;
  readonly #connectionId: number;

  constructor(parts: SettlementParts, connectionId: number) {
    this.#observer = parts.observer;
    this.#parts = parts;
    this.#connectionId = connectionId;
  }

  /** @param now `performance.now()` when the answer came, with others in one message */
  succeed(call: PendingCall, answer: Answer, now: number): void {
    if (!settle(call)) return;
    if (call.observed) {
      const durationMs = now - call.startedAt;
      if (this.#observer.record(durationMs, answer.rows))
        this.#observer.succeeded(this.#observed(call, durationMs, answer.micros), answer.rows);
    }
    call.resolve(answer.value);
  }

  fail(call: PendingCall, error: unknown): void {
    if (!settle(call)) return;
    if (!call.observed) return call.reject(error);
    const durationMs = performance.now() - call.startedAt;
    const tell = () => this.#observer.failed(this.#observed(call, durationMs, 0), error as Error);
    rejectCall(call, error, tell);
  }

  /** Fails it with what the worker said. */
  failAs(call: PendingCall, failure: Failure): void {
    this.fail(call, translateFailure(failure, failedStatement(call, failure)));
  }

  #observed(call: PendingCall, durationMs: number, micros: number): ObservedStatement {
    const { text, name, params, placement, transactionId, context, sentAt } = call;
    return {
      text,
      name,
      params,
      placement,
      connectionId: this.#connectionId,
      transactionId,
      durationMs,
      waitedMs: sentAt === undefined ? undefined : sentAt - call.startedAt,
      ranMs: micros === 0 ? undefined : micros / 1_000,
      tables: context === undefined ? undefined : this.#parts.tablesOf(text),
      context,
    };
  }
}

/** Of a batch the one of its statements that failed, where one did. */
function failedStatement({ request, text, name }: PendingCall, { part }: Failure): FailedStatement {
  if (request.kind !== 'batch' || part === undefined) return { text, name };
  return { text: request.statements[part]!.text, name, part };
}

/** @returns false when the caller has its answer already. */
function settle(call: PendingCall): boolean {
  if (call.settled) return false;
  call.settled = true;
  disarm(call);
  return true;
}
