import type {
  CallContext,
  CallOptions,
  CancelReason,
  Placement,
  QueryObserver,
  Statement,
} from '../driver/index.ts';
import type { Sending } from './call-sender.ts';
import type { Exchange } from './exchange.ts';
import { toWireValues } from './parameters.ts';
import type { Plan } from './plan.ts';
import type { RowShape } from './row-shape.ts';
import { ResultReader, type ResultForm } from './result-reader.ts';
import { liftedLimitMs, type ServerLimits } from './server-limits.ts';
import type { Portal, Step } from './statement-exchange.ts';
import { faultInPart, type FailedStatement } from './translate-failure.ts';

/** Where a call runs, and for whom. */
export interface CallPlace {
  readonly placement: Placement;
  readonly transactionId: number | undefined;
  readonly queryTimeoutMs: number;
  /** A call may ask for more. */
  readonly serverLimits: ServerLimits;
  /** Absent for calls of the engine's own. */
  readonly observer: QueryObserver | undefined;
}

/** Rows of a stream. */
export interface Chunk {
  readonly rows: Record<string, unknown>[];
  readonly hasMore: boolean;
  readonly shape: RowShape | undefined;
}

/** One call on its way through a connection. */
export interface PendingCall {
  readonly kind: 'statement' | 'batch' | 'script' | 'chunk';
  /** For errors and events. */
  readonly text: string;
  readonly params: readonly unknown[];
  readonly name: string | undefined;
  placement: Placement;
  readonly transactionId: number | undefined;
  /** What is sent; none for a script, whose text goes as it is. */
  readonly steps: readonly Step[];
  readonly plans: readonly Plan[];
  /** The limit that the server is to enforce, in ms; 0 = none. Undefined: the session's own limit will do. */
  readonly serverLimitMs: number | undefined;
  /** `performance.now()` when the caller asked; waiting for a connection counts. */
  readonly startedAt: number;
  /** Limit in ms from `startedAt` on; 0 = none. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether it may have a lasting effect, where it was sent last. */
  mayWrite: boolean;
  readonly observer: QueryObserver | undefined;
  readonly context: CallContext | undefined;
  resolve: (answer: unknown) => void;
  reject: (error: unknown) => void;
  /** `performance.now()` when it was sent last. */
  sentAt: number | undefined;
  /** How often it was sent again. */
  retries: number;
  /** It is no longer sent together with others: among others it failed, or took too long. */
  isSingle: boolean;
  exchange: Exchange | undefined;
  /** How it was sent last. */
  sending: Sending | undefined;
  /** Set once the call is to end; the first reason stands. */
  cancelReason: CancelReason | undefined;
  settled: boolean;
  /** `performance.now()` when its time is over; Infinity where nothing watches that. */
  deadline: number;
  /** Of the grace of a cancelled call. */
  timer: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
}

type CallContent = Pick<PendingCall, 'kind' | 'text' | 'params' | 'steps' | 'plans' | 'mayWrite'>;

interface CallParts {
  readonly form: ResultForm;
  readonly statement: Statement;
  readonly plan: Plan;
}

/** A statement of a caller's. Its limits count from now. @throws UsageError for what cannot be bound */
export function createCall(
  { form, statement, plan }: CallParts,
  options: CallOptions,
  place: CallPlace,
): PendingCall {
  const { text, params } = statement;
  place.observer?.started(text, options.name, place.transactionId);
  const context = place.observer?.capture();
  const step = createStep(statement, plan, form);
  const content: CallContent = {
    kind: 'statement',
    text,
    params,
    steps: [step],
    plans: [plan],
    mayWrite: plan.mayWrite,
  };
  return create(content, options, { place, context });
}

/** @throws UsageError naming the first value that cannot be bound */
export function createBatchCall(
  statements: readonly Statement[],
  plans: readonly Plan[],
  { options, place }: { readonly options: CallOptions; readonly place: CallPlace },
): PendingCall {
  place.observer?.started('batch', options.name, place.transactionId);
  const context = place.observer?.capture();
  const steps = statements.map((statement, index) => createBatchStep(statement, plans[index]!, index));
  const params = statements.flatMap((statement) => statement.params);
  const mayWrite = plans.some((plan) => plan.mayWrite);
  const content: CallContent = { kind: 'batch', text: 'batch', params, steps, plans, mayWrite };
  return create(content, options, { place, context });
}

export function createScriptCall(
  text: string,
  plan: Plan,
  options: CallOptions,
  place: CallPlace,
): PendingCall {
  place.observer?.started(text, options.name, place.transactionId);
  const context = place.observer?.capture();
  const content: CallContent = { kind: 'script', text, params: [], steps: [], plans: [plan], mayWrite: true };
  return create(content, options, { place, context });
}

/**
 * What errors say of a call that failed: of a batch, the one of its statements that did, where one did. The
 * values of all of them stay hidden.
 */
export function failedStatement(call: PendingCall, part: number): FailedStatement {
  const step = call.kind === 'batch' ? call.steps[part] : undefined;
  if (step === undefined) return call;
  return { text: step.text, name: call.name, params: call.params, part };
}

/** As a chunk of the rows of a portal. */
export function toChunkCall(call: PendingCall, portal: Portal): PendingCall {
  const reader = new ResultReader('all');
  if (portal.shape !== undefined) reader.begin(portal.shape);
  const step = { ...call.steps[0]!, reader, named: false, portal };
  return { ...call, kind: 'chunk', steps: [step] };
}

/** The same call, ready to be sent again. */
export function renewSteps(call: PendingCall): PendingCall {
  const steps = call.steps.map((step) => ({ ...step, reader: new ResultReader(step.reader.form) }));
  return Object.assign(call, { steps });
}

/** Gives the call a promise and `start`s it. */
export function startCall<T>(call: PendingCall, start: (call: PendingCall) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call.resolve = resolve as (answer: unknown) => void;
    call.reject = reject;
    start(call);
  });
}

function createStep({ text, params }: Statement, plan: Plan, form: ResultForm): Step {
  const values = params.length === 0 ? NO_VALUES : toWireValues(params);
  return { text, values, reader: new ResultReader(form), named: plan.noteUse() };
}

function createBatchStep(statement: Statement, plan: Plan, part: number): Step {
  try {
    return createStep(statement, plan, 'batch');
  } catch (error) {
    throw faultInPart(error, part);
  }
}

const NO_VALUES: Step['values'] = Object.freeze([]);

/** All of it in one literal: copying one object into another costs more than the rest of a call. */
function create(
  { kind, text, params, steps, plans, mayWrite }: CallContent,
  options: CallOptions,
  { place, context }: { readonly place: CallPlace; readonly context: CallContext | undefined },
): PendingCall {
  const timeoutMs = options.timeoutMs ?? place.queryTimeoutMs;
  return {
    kind,
    text,
    params,
    name: options.name,
    placement: place.placement,
    transactionId: place.transactionId,
    steps,
    plans,
    serverLimitMs: liftedLimitMs(timeoutMs, place.serverLimits),
    startedAt: performance.now(),
    timeoutMs,
    signal: options.signal,
    mayWrite,
    observer: place.observer,
    context,
    resolve: unsent,
    reject: unsent,
    sentAt: undefined,
    retries: 0,
    isSingle: false,
    exchange: undefined,
    sending: undefined,
    cancelReason: undefined,
    settled: false,
    deadline: Infinity,
    timer: undefined,
    onAbort: undefined,
  };
}

/** A statement of the engine's own, whose result is of no interest. */
export function engineStep(text: string): Step {
  return { text, values: NO_VALUES, reader: new ResultReader('run'), named: false };
}

function unsent(): never {
  throw new Error('BUG: the call was answered before it was sent');
}
