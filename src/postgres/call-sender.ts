import { Line } from '../async/index.ts';
import { armGrace, CallAlarms, disarm, NEVER_SENT, type CancelReason } from '../driver/index.ts';
import { MillpondError } from '../errors/index.ts';
import { failCall, stopped, succeedCall } from './call-settlement.ts';
import type { TimedAnswer, WorkDone } from './cost-model.ts';
import type { TransactionStatus } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { engineStep, failedStatement, renewSteps, type Chunk, type PendingCall } from './pending-call.ts';
import type { RowShapes } from './row-shape.ts';
import { ScriptExchange } from './script-exchange.ts';
import { isFatal, type ServerFailure } from './server-error.ts';
import { keptLimits, liftTexts, type ServerLimits } from './server-limits.ts';
import { StatementExchange, type ExchangeAnswer, type Step } from './statement-exchange.ts';
import {
  connectionLostError,
  faultInPart,
  outcomeUnknownError,
  SqlState,
  translateFailure,
} from './translate-failure.ts';

/** How a call is sent, where it is not sent alone and on its own. */
export interface Sending {
  /** Steps of the engine's own that go before it. When one of them fails, nothing of the call is done. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
  readonly isBarrier?: boolean | undefined;
  /** It runs in a transaction: nothing of it lasts by itself, and it cannot be repeated. */
  readonly inTransaction?: boolean;
  /** Asked when it is its turn to be sent. */
  readonly refusal?: () => Error | undefined;
  /** Told of the answer before the caller is. @returns an error that takes the place of the answer */
  readonly answered?: (answer: CallAnswer, call: PendingCall) => Error | undefined;
  /**
   * Asked about a failure, or a loss (then without one), under a call of which nothing lasts.
   * @returns what sends the call elsewhere: then it is no longer a call of this connection
   */
  readonly moves?: (failure: ServerFailure | undefined) => (() => void) | undefined;
  /** Called when nothing of it is under way any longer, after the caller was told. */
  readonly over?: (() => void) | undefined;
}

/** Sent as it is, and alone. */
export const NO_SENDING: Sending = Object.freeze({});

export interface CallAnswer {
  readonly status: TransactionStatus;
  readonly failure: ServerFailure | undefined;
  /** One of `before` failed, or nothing was sent, because it was known that the rows cannot be given. */
  readonly notBegun: boolean;
}

/** What a sender needs of the engine. */
export interface SenderEnvironment {
  readonly shapes: RowShapes;
  readonly cancelGraceMs: number;
  readonly serverLimits: ServerLimits;
  /** Told of each call outside a transaction that lasts, or may. */
  noteCommit(call: PendingCall): void;
  /** Told of each answer, once. @returns for how long the server worked on each of its calls, in ms */
  workedMs(answer: TimedAnswer): number;
  /** Told of each call that was done. */
  noteDone(call: PendingCall, work: WorkDone): void;
}

/** How the connection was lost under a call. */
interface LostCall {
  readonly error: Error;
  readonly mayBeDone: boolean;
  /** What the server had said of it. */
  readonly failure: ServerFailure | undefined;
  /** The statement of a batch that the server was at, from 0. */
  readonly part: number;
}

/** A call that is sent again more often than this must have another fault. */
const MAX_RETRIES = 2;

/** Sends calls on one connection, and tells each caller, once, how its call ended. */
export class CallSender {
  readonly #link: PostgresLink;
  readonly #environment: SenderEnvironment;
  readonly #calls = new Line<PendingCall>();
  readonly #alarms = new CallAlarms<PendingCall>({
    calls: () => this.#calls,
    cancel: (call, reason) => this.#endEarly(call, reason),
  });

  constructor(link: PostgresLink, environment: SenderEnvironment) {
    this.#link = link;
    this.#environment = environment;
    void link.lost.then(() => this.#alarms.stop());
  }

  send(call: PendingCall, sending: Sending = NO_SENDING): void {
    if (call.signal?.aborted === true) {
      this.#fail(call, call.signal.reason);
      sending.over?.();
      return;
    }
    this.#calls.push(call);
    call.sending = sending;
    if (liftsForSession(call, sending)) this.#link.send(this.#liftForSession(call.serverLimitMs!));
    if (call.kind === 'script' && sending.inTransaction === true) this.#link.send(this.#guard(sending));
    call.sentAt = performance.now();
    call.exchange = call.kind === 'script' ? this.#script(call, sending) : this.#statements(call, sending);
    // A call that is sent again here has its limits already.
    if (call.deadline === Infinity && call.onAbort === undefined) this.#alarms.arm(call);
    this.#link.send(call.exchange);
  }

  /** Lets go of a call that is sent elsewhere: its answer here is skipped. */
  abandon(call: PendingCall): void {
    this.#calls.remove(call);
    call.exchange = undefined;
    disarm(call);
  }

  /** No call will come any more. */
  stop(): void {
    this.#alarms.stop();
  }

  /** Ends what waits and stops what runs; it rejects with `reason`. */
  endAll(reason: Error): void {
    for (const call of this.#calls) this.#endEarly(call, () => reason);
  }

  #statements(call: PendingCall, sending: Sending): StatementExchange {
    const { before = NO_STEPS, after = NO_STEPS } = sending;
    const limit = this.#limitSteps(call, sending);
    const steps =
      before.length + after.length + limit.length === 0
        ? call.steps
        : [...before, ...limit, ...call.steps, ...after];
    const skipped = before.length + limit.length;
    const exchange: StatementExchange = new StatementExchange({
      steps,
      shapes: this.#environment.shapes,
      isBarrier: sending.isBarrier,
      refusal: sending.refusal,
      answered: (answer) => {
        if (call.exchange === exchange) this.#answered(call, sending, { answer, skipped });
        else sending.over?.();
      },
      lost: ({ error, sent, tags, failure }) => {
        const isDone = tags.length >= steps.length;
        if (call.exchange !== exchange) return sending.over?.();
        const mayBeDone = sent && (isDone || failure === undefined);
        this.#lost(call, sending, { error, mayBeDone, failure, part: tags.length - skipped });
      },
    });
    return exchange;
  }

  /** For the statements of the same exchange, and in a transaction for the rest of it. */
  #limitSteps(call: PendingCall, sending: Sending): readonly Step[] {
    const { serverLimitMs } = call;
    if (serverLimitMs === undefined) return isToBind(call, sending) ? BINDING : NO_STEPS;
    if (liftsForSession(call, sending)) return NO_STEPS;
    const kept = keptLimits(this.#environment.serverLimits, this.#link.parameters);
    const inTransaction = sending.inTransaction === true;
    return liftTexts(serverLimitMs, { scope: 'local', inTransaction, kept }).map((text) => engineStep(text));
  }

  /**
   * Lifted until the connection goes back. It can fail only together with the connection, and then the call
   * fails too.
   */
  #liftForSession(limitMs: number): StatementExchange {
    const kept = keptLimits(this.#environment.serverLimits, this.#link.parameters);
    const texts = liftTexts(limitMs, { scope: 'session', inTransaction: false, kept });
    return this.#ahead(texts);
  }

  /** Ahead of the script: of a text that cannot be read as a whole, the server does nothing at all. */
  #guard({ refusal }: Sending): StatementExchange {
    return this.#ahead([`savepoint ${GUARD}`], refusal);
  }

  /** Goes ahead of a call, which fails if it does. */
  #ahead(texts: readonly string[], refusal?: Sending['refusal']): StatementExchange {
    return new StatementExchange({
      steps: texts.map((text) => engineStep(text)),
      shapes: this.#environment.shapes,
      refusal,
      answered: () => undefined,
      lost: () => undefined,
    });
  }

  #script(call: PendingCall, sending: Sending): ScriptExchange {
    return new ScriptExchange({
      text: sending.inTransaction === true ? guarded(call) : call.text,
      isBarrier: sending.isBarrier ?? false,
      refusal: sending.refusal,
      answered: (failure, status) => {
        const answer = { status, tags: [], failure, fault: undefined, isStale: false };
        this.#answered(call, sending, { answer, skipped: 0 });
      },
      lost: ({ error, sent, failure, isBegun }) => {
        const mayBeDone = sent && (failure === undefined || (isBegun && isFatal(failure)));
        this.#lost(call, sending, { error, mayBeDone, failure, part: 0 });
      },
    });
  }

  #answered(
    call: PendingCall,
    sending: Sending,
    { answer, skipped }: { answer: ExchangeAnswer; skipped: number },
  ): void {
    const { status, failure, fault, tags } = answer;
    if (this.#isToRepeat(call, sending, answer)) return this.#repeat(call, sending);
    if (failure !== undefined && this.#moves(call, sending, failure)) return;
    this.#calls.remove(call);
    const notBegun = tags.length < (sending.before?.length ?? 0);
    const instead = sending.answered?.({ status, failure, notBegun }, call);
    if (instead !== undefined) this.#fail(call, instead);
    else if (failure !== undefined) this.#failed(call, failure, tags.length - skipped);
    else if (fault !== undefined) this.#faulted(call, fault.error, fault.step - skipped);
    else this.#succeed(call, sending, { tags, skipped });
    sending.over?.();
  }

  #moves(call: PendingCall, { moves, over }: Sending, failure: ServerFailure | undefined): boolean {
    if (call.cancelReason !== undefined || call.settled) return false;
    const sendElsewhere = moves?.(failure);
    if (sendElsewhere === undefined) return false;
    this.abandon(call);
    over?.();
    sendElsewhere();
    return true;
  }

  /** The server undid all of it, and says that it may work when it is sent again. */
  #isToRepeat(
    call: PendingCall,
    { inTransaction, before }: Sending,
    { failure, isStale }: ExchangeAnswer,
  ): boolean {
    if (failure === undefined || inTransaction === true || before !== undefined) return false;
    if (call.cancelReason !== undefined || call.settled || call.retries >= MAX_RETRIES) return false;
    return isStale || (failure.code === SqlState.cancelled && this.#link.mayBeBystander(call.exchange!));
  }

  #repeat(call: PendingCall, sending: Sending): void {
    call.retries += 1;
    this.#calls.remove(call);
    this.send(renewSteps(call), sending);
  }

  #succeed(
    call: PendingCall,
    { inTransaction }: Sending,
    { tags, skipped }: { tags: ExchangeAnswer['tags']; skipped: number },
  ): void {
    const rows = rowsOf(call, tags, skipped);
    const { answeredAt } = this.#link;
    const now = performance.now();
    const ranMs = this.#environment.workedMs({ sentAt: call.sentAt!, answeredAt, now, calls: 1 });
    this.#environment.noteDone(call, { rows, ranMs });
    if (inTransaction !== true) this.#environment.noteCommit(call);
    succeedCall(call, { value: valueOf(call, tags, skipped), rows, ranMs }, this.#link.id);
  }

  #failed(call: PendingCall, failure: ServerFailure, part: number): void {
    if (call.cancelReason !== undefined) {
      return this.#fail(call, call.cancelReason(stopped(!isFatal(failure))));
    }
    this.#fail(call, translateFailure(failure, failedStatement(call, part)));
  }

  #faulted(call: PendingCall, error: unknown, part: number): void {
    this.#fail(call, call.kind === 'batch' ? faultInPart(error, part) : error);
  }

  #lost(call: PendingCall, sending: Sending, { error, mayBeDone, failure, part }: LostCall): void {
    const isMoved = !(mayBeDone && call.mayWrite) && this.#moves(call, sending, undefined);
    if (isMoved) return;
    this.#calls.remove(call);
    const isUnknown = mayBeDone && call.mayWrite && sending.inTransaction !== true;
    if (isUnknown) this.#environment.noteCommit(call);
    if (call.cancelReason !== undefined) {
      this.#fail(call, call.cancelReason(stopped(!isUnknown)));
    } else if (error instanceof MillpondError) this.#fail(call, error);
    else if (isUnknown) this.#fail(call, outcomeUnknownError(error));
    else if (failure === undefined) this.#fail(call, connectionLostError(error));
    else this.#fail(call, translateFailure(failure, failedStatement(call, part)));
    sending.over?.();
  }

  #fail(call: PendingCall, error: unknown): void {
    failCall(call, error, this.#link.id);
  }

  #endEarly(call: PendingCall, reason: CancelReason): void {
    if (call.settled || call.cancelReason !== undefined) return;
    call.cancelReason = reason;
    if (this.#link.withdraw(call.exchange!)) {
      this.#calls.remove(call);
      this.#fail(call, reason(NEVER_SENT));
      call.sending?.over?.();
      return;
    }
    this.#link.cancel(call.exchange!);
    armGrace(call, { graceMs: this.#environment.cancelGraceMs }, () => {
      this.#fail(call, reason(stopped(false)));
    });
  }
}

const NO_STEPS: readonly Step[] = Object.freeze([]);

type Tags = ExchangeAnswer['tags'];

/** Rows that a call gave, or changed. */
function rowsOf({ steps }: PendingCall, tags: Tags, skipped: number): number {
  let rows = 0;
  for (let index = 0; index < steps.length; index += 1) {
    rows += steps[index]!.reader.rows || tags[index + skipped]!.rowsAffected;
  }
  return rows;
}

/** What the caller gets. */
function valueOf({ kind, steps }: PendingCall, tags: Tags, skipped: number): unknown {
  if (kind === 'batch') {
    return steps.map(({ reader }, index) => reader.result(tags[index + skipped]!.rowsAffected));
  }
  if (kind === 'script') return undefined;
  const { reader } = steps[0]!;
  const { command, rowsAffected } = tags[skipped]!;
  const value = reader.result(rowsAffected);
  if (kind !== 'chunk') return value;
  const hasMore = command === 'SUSPENDED';
  return { rows: value as Chunk['rows'], hasMore, shape: reader.shape } satisfies Chunk;
}

/**
 * Whether the server's limit is lifted for the session rather than for the transaction: outside transactions
 * what is neither read nor write may be something that runs in none (VACUUM, CREATE INDEX CONCURRENTLY), and
 * must be all that is sent up to its Sync.
 */
export function liftsForSession(call: PendingCall, { inTransaction }: Sending = NO_SENDING): boolean {
  if (call.serverLimitMs === undefined || inTransaction === true || call.kind === 'batch') return false;
  return call.kind === 'script' || call.plans[0]!.kind === 'other';
}

/**
 * A batch is all or nothing. A statement that cannot run in a transaction block would be refused as a later
 * statement of it, but not as the first.
 */
function isToBind({ kind, plans }: PendingCall, { inTransaction }: Sending): boolean {
  return kind === 'batch' && inTransaction !== true && plans[0]!.kind === 'other' && plans.length > 1;
}

/** A statement without effect that goes before it. */
const BINDING: readonly Step[] = [engineStep('select')];

/** A script inside a transaction can be undone alone: the savepoint before it was made ahead of it. */
function guarded({ text, serverLimitMs }: PendingCall): string {
  const limit = serverLimitMs === undefined ? '' : `set local statement_timeout = ${serverLimitMs};\n`;
  return `${limit}${text}\n;release savepoint ${GUARD}`;
}

/** The savepoint around what must be undone alone, inside a transaction. */
export const GUARD = 'millpond_guard';
