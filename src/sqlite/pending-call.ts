import type { Placement, Shape, Statement } from '../driver/index.ts';
import type { CostModel } from './cost-model.ts';
import type { ControlVerb, MaintenanceTask } from './protocol.ts';
import type { KnownColumns } from './result-decoding.ts';
import type { ReferencedStatement } from './statement-references.ts';

/** What a worker is asked to do. */
export type CallRequest =
  /** A statement; `grouped` makes it a member of the group commit. */
  | { readonly kind: 'statement'; readonly shape: Shape; readonly statement: Statement; readonly grouped: boolean }
  | { readonly kind: 'batch'; readonly statements: readonly Statement[] }
  | { readonly kind: 'script'; readonly text: string }
  | { readonly kind: 'control'; readonly verb: ControlVerb; readonly name: string | null }
  | { readonly kind: 'maintain'; readonly task: MaintenanceTask; readonly argument: string | null }
  | { readonly kind: 'open-cursor'; readonly statement: Statement; readonly chunkRows: number; readonly columns: KnownColumns }
  | { readonly kind: 'fetch'; readonly cursorId: number; readonly columns: KnownColumns }
  | { readonly kind: 'close-cursor'; readonly cursorId: number };

/** Rows of a stream. */
export interface Chunk {
  readonly rows: Record<string, unknown>[];
  readonly hasMore: boolean;
}

export interface CallEnding {
  /** Set where the call was running, and how it was stopped. */
  readonly cancellation: 'interrupt' | 'row' | 'abandon' | undefined;
  /** Whether the worker confirmed that the call has no effect. */
  readonly confirmed: boolean;
}

/** Makes the error of a cancelled call, when it is known how it ended. */
export type CancelReason = (ending: CallEnding) => unknown;

/** What a call is, before it is sent. */
export interface CallDetails {
  readonly request: CallRequest;
  /** For errors and events. */
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
  /** True where its success means that something was committed. */
  readonly commits: boolean;
  /** False for what ends a transaction: only its answer can end it. */
  readonly cancellable: boolean;
  /** False for the engine's own calls: no statement of the caller's. */
  readonly observed: boolean;
  /** Learns how long SQLite itself took. */
  readonly cost: CostModel | undefined;
}

/** One call on its way through a worker. One object from the caller to the answer: this is the hot path. */
export interface PendingCall extends CallDetails {
  resolve: (answer: unknown) => void;
  reject: (error: unknown) => void;
  /** Given anew each time that the call is sent. */
  seq: number;
  /** What the answer's rows are read with; set when the call is sent. */
  columns: KnownColumns | undefined;
  batchColumns: ReadonlyMap<number, ReferencedStatement> | undefined;
  /** Set once the call is to end; the first reason stands. */
  cancelReason: CancelReason | undefined;
  cancellation: CallEnding['cancellation'];
  /** The caller was answered already; the worker's answer only has to be read past. */
  settled: boolean;
  timer: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
}

/** The call and the promise of its answer. Every field is written here, so that all calls are of one hidden class. */
export function startCall<T>(details: CallDetails, send: (call: PendingCall) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    send({
      request: details.request,
      text: details.text,
      name: details.name,
      params: details.params,
      placement: details.placement,
      transactionId: details.transactionId,
      startedAt: details.startedAt,
      timeoutMs: details.timeoutMs,
      signal: details.signal,
      writes: details.writes,
      commits: details.commits,
      cancellable: details.cancellable,
      observed: details.observed,
      cost: details.cost,
      resolve: resolve as (answer: unknown) => void,
      reject,
      seq: 0,
      columns: undefined,
      batchColumns: undefined,
      cancelReason: undefined,
      cancellation: undefined,
      settled: false,
      timer: undefined,
      onAbort: undefined,
    });
  });
}

const ENGINE_CALL = {
  name: undefined,
  params: [],
  placement: 'connection',
  transactionId: undefined,
  timeoutMs: 0,
  signal: undefined,
  writes: false,
  commits: false,
  cancellable: false,
  observed: false,
  cost: undefined,
} as const;

/** A call of the engine itself: no limit but that of whoever waits for it, and no event. */
export function describeEngineCall(request: CallRequest, text: string): CallDetails {
  return { ...ENGINE_CALL, request, text, startedAt: performance.now() };
}
