import type { BatchItemResult, Placement, Shape } from '../driver/index.ts';
import type { ReferencedStatement } from './statement-references.ts';

/** Makes the error of a cancelled call, when it is known how it ended. */
export type CancelReason = (ending: CallEnding) => unknown;

export interface CallEnding {
  /** Set where the call was running, and how it was stopped. */
  readonly cancellation: 'interrupt' | 'row' | 'abandon' | undefined;
  /** Whether the worker confirmed that the call has no effect. */
  readonly confirmed: boolean;
}

/** What the caller asked, kept until its answer came. */
export interface CallDescription {
  readonly text: string;
  readonly name: string | undefined;
  readonly params: readonly unknown[];
  readonly placement: Placement;
  readonly transactionId: number | undefined;
  /** `performance.now()` when the caller asked; waiting for a connection counts. */
  readonly startedAt: number;
  /** Limit of this call in ms from `startedAt` on; 0 = none. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** True where the call may write: an unanswered one is not simply given up. */
  readonly writes: boolean;
  /** False for what ends a transaction: only its answer can end it. */
  readonly cancellable: boolean;
  /** False for the engine's own calls: no statement of the caller's. */
  readonly observed: boolean;
}

/** The exact answers a call may wait for. */
export type Expected =
  | { readonly kind: 'rows'; readonly shape: Shape; readonly statement: ReferencedStatement }
  | { readonly kind: 'batch'; readonly statements: ReadonlyMap<number, ReferencedStatement> }
  | { readonly kind: 'chunk'; readonly statement: ReferencedStatement }
  | { readonly kind: 'done' };

export interface Chunk {
  readonly rows: Record<string, unknown>[];
  readonly hasMore: boolean;
}

export type Answer = BatchItemResult[] | Chunk | unknown;

/** What whoever placed the call wants to be told of it. */
export interface CallHooks {
  /** How long SQLite itself took, told before the answer: for the cost model. */
  onExecuted(micros: number, rows: number): void;
  /** The call was taken back before it began and is to be sent elsewhere; its promise stays open. */
  onWithdrawn(): void;
}

/** One call on its way through a worker. */
export interface PendingCall extends CallDescription {
  readonly seq: number;
  readonly expected: Expected;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly hooks: CallHooks | undefined;
  /** Set once the call is to end; the first reason stands. */
  cancelReason: CancelReason | undefined;
  cancellation: CallEnding['cancellation'];
  /** The caller was answered already; the worker's answer only has to be read past. */
  settled: boolean;
  timer: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
}
