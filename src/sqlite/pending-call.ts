import type {
  CallContext,
  CallEnding,
  CallOptions,
  CancelReason,
  Placement,
  QueryObserver,
  Shape,
  Statement,
} from '../driver/index.ts';
import type { CostModel } from './cost-model.ts';
import type { ControlVerb, MaintenanceTask } from './protocol.ts';
import type { KnownColumns } from './result-decoding.ts';
import { noChanges, type Changes } from './changes.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import type { ReferencedStatement } from './statement-references.ts';

/** What a worker is asked to do. */
export type CallRequest =
  /** A statement; `grouped` makes it a member of the group commit. */
  | {
      readonly kind: 'statement';
      readonly shape: Shape;
      readonly statement: Statement;
      readonly grouped: boolean;
    }
  | { readonly kind: 'batch'; readonly statements: readonly Statement[] }
  | { readonly kind: 'script'; readonly text: string }
  | { readonly kind: 'control'; readonly verb: ControlVerb; readonly name: string | null }
  | { readonly kind: 'maintain'; readonly task: MaintenanceTask; readonly argument: string | null }
  | {
      readonly kind: 'open-cursor';
      readonly statement: Statement;
      readonly chunkRows: number;
      readonly columns: KnownColumns;
    }
  | { readonly kind: 'fetch'; readonly cursorId: number; readonly columns: KnownColumns }
  | { readonly kind: 'close-cursor'; readonly cursorId: number };

/** Rows of a stream. */
export interface Chunk {
  readonly rows: Record<string, unknown>[];
  readonly hasMore: boolean;
}

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
  readonly mayWrite: boolean;
  /** True where its success means that something was committed. */
  readonly commits: boolean;
  /** What that something is; asked when the answer is there. */
  readonly changes: () => Changes;
  /** Where to report the end of the call, if somebody wants to hear of it. */
  readonly context: CallContext | undefined;
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
  /** A new one each time that the call is sent. */
  seq: number;
  /** What the answer's rows are read with; set when the call is sent. */
  columns: KnownColumns | undefined;
  batchColumns: ReadonlyMap<number, ReferencedStatement> | undefined;
  /** `performance.now()`. Of every call: which one will be slow, or fail, is not known yet. */
  sentAt: number | undefined;
  /** Set once the call is to end; the first reason stands. */
  cancelReason: CancelReason | undefined;
  cancellation: CallEnding['cancellation'];
  /** The caller was answered already; the worker's answer only has to be read past. */
  settled: boolean;
  /** `performance.now()` when the call's time is over; Infinity = never. */
  deadline: number;
  /** Of the grace that a call is given to end. */
  timer: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
}

/** What a call needs to know besides its statement and options; made once for many calls. */
export interface CallPlace {
  readonly placement: Placement;
  readonly transactionId: number | undefined;
  readonly mayWrite: boolean;
  readonly commits: boolean;
  readonly changes: () => Changes;
  readonly cost: CostModel | undefined;
  readonly queryTimeoutMs: number;
  /** Absent for calls of the engine's own. */
  readonly observer: QueryObserver | undefined;
}

/** A call of a user's. Its limits count from now, when the caller asks, not from when the call is sent. */
export function createCall(
  request: CallRequest,
  { text, params }: Statement,
  options: CallOptions,
  place: CallPlace,
): PendingCall {
  return {
    request,
    text,
    name: options.name,
    params,
    placement: place.placement,
    transactionId: place.transactionId,
    startedAt: performance.now(),
    timeoutMs: options.timeoutMs ?? place.queryTimeoutMs,
    signal: options.signal,
    mayWrite: place.mayWrite,
    commits: place.commits,
    changes: place.changes,
    context: announce(request, text, options.name, place),
    cancellable: true,
    observed: true,
    cost: place.cost,
    // Written out, since a spread would cost more than all the rest. Not known before the call is sent:
    resolve: unsent,
    reject: unsent,
    seq: 0,
    columns: undefined,
    batchColumns: undefined,
    sentAt: undefined,
    cancelReason: undefined,
    cancellation: undefined,
    settled: false,
    deadline: Infinity,
    timer: undefined,
    onAbort: undefined,
  };
}

/** Only what a caller asked for is a statement's start: not the next chunk of a stream, not a COMMIT. */
function announce(
  { kind }: CallRequest,
  text: string,
  name: string | undefined,
  { observer, transactionId }: CallPlace,
): CallContext | undefined {
  if (observer === undefined || kind === 'fetch' || kind === 'control') return undefined;
  observer.started(text, name, transactionId);
  return observer.capture();
}

/** Sends the call. @returns the promise of its answer */
export function startCall<T>(call: PendingCall, send: (call: PendingCall) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call.resolve = resolve as (answer: unknown) => void;
    call.reject = reject;
    send(call);
  });
}

function unsent(): never {
  throw new Error('BUG: the call was answered before it was sent');
}

const ENGINE_PLACE: CallPlace = {
  placement: 'connection',
  transactionId: undefined,
  mayWrite: false,
  commits: false,
  changes: noChanges,
  cost: undefined,
  queryTimeoutMs: 0,
  observer: undefined,
};

/** A call of the engine itself: no limit but that of whoever waits for it, and no event. */
export function createEngineCall(request: CallRequest, text: string): PendingCall {
  const call = createCall(request, { text, params: [] }, {}, ENGINE_PLACE);
  return { ...call, cancellable: false, observed: false };
}

/**
 * Asks what a text does. The answer is given before that of any call sent behind it, in the same turn: a
 * promise's would come later.
 */
export function askForAnalysis(
  text: string,
  send: (call: PendingCall) => void,
  onAnswer: (analysis: StatementAnalysis | undefined) => void,
): void {
  const call = createEngineCall({ kind: 'maintain', task: 'analyze', argument: text }, text);
  call.resolve = (analysis) => onAnswer(analysis as StatementAnalysis);
  // A text that cannot be analyzed cannot run either.
  call.reject = () => onAnswer(undefined);
  send(call);
}
