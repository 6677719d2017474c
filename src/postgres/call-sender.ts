import { MillpondError, OutcomeUnknownError } from '../errors/index.ts';
import { runInRootContext } from '../async/index.ts';
import { failCall, succeedCall } from './call-settlement.ts';
import type { TransactionStatus } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { renewSteps, type CancelReason, type Chunk, type PendingCall } from './pending-call.ts';
import type { RowShapes } from './row-shape.ts';
import { ScriptExchange } from './script-exchange.ts';
import { isFatal, type ServerFailure } from './server-error.ts';
import { StatementExchange, type ExchangeAnswer, type Step } from './statement-exchange.ts';
import { timeoutError } from './timeout-error.ts';
import { connectionLostError, SqlState, translateFailure } from './translate-failure.ts';

/** How a call is sent, where it is not alone and on its own. */
export interface Sending {
  /** Steps of the engine's own that go before it. When one of them fails, nothing of the call is done. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
  readonly isBarrier?: boolean;
  /** It runs in a transaction: nothing of it lasts by itself, and it cannot be repeated. */
  readonly inTransaction?: boolean;
  /** Asked when its turn to be sent has come. */
  readonly refusal?: () => Error | undefined;
  /** Told of the answer before the caller is. @returns an error that takes the place of the answer */
  readonly answered?: (answer: CallAnswer) => Error | undefined;
  /** Called when nothing of it is under way any more, after the caller was told. */
  readonly over?: () => void;
}

export interface CallAnswer {
  readonly status: TransactionStatus;
  readonly failure: ServerFailure | undefined;
  /** One of `before` failed. */
  readonly notBegun: boolean;
}

/** What a sender needs to know of the engine. */
export interface SenderHome {
  readonly shapes: RowShapes;
  readonly cancelGraceMs: number;
  /** Told of each statement that was done, and what it took from its sending on. */
  noteDone(call: PendingCall): void;
  /** A statement that was taken for a read has written, or wanted to. */
  noteWrite?(call: PendingCall): void;
}

/** A call that is sent anew more often than this has another fault. */
const MAX_RETRIES = 2;

/** Sends calls on one connection, and tells each caller how its call ended: once, and truly. */
export class CallSender {
  readonly #link: PostgresLink;
  readonly #home: SenderHome;
  readonly #calls = new Set<PendingCall>();

  constructor(link: PostgresLink, home: SenderHome) {
    this.#link = link;
    this.#home = home;
  }

  send(call: PendingCall, sending: Sending = NO_SENDING): void {
    if (call.signal?.aborted === true) {
      this.#fail(call, call.signal.reason);
      sending.over?.();
      return;
    }
    this.#calls.add(call);
    call.sentAt = performance.now();
    call.exchange = call.kind === 'script' ? this.#script(call, sending) : this.#statements(call, sending);
    if (call.timer === undefined && call.onAbort === undefined) this.#armLimits(call, sending);
    this.#link.send(call.exchange);
  }

  /** Ends what waits and stops what runs; it rejects with `reason`. */
  endAll(reason: Error): void {
    for (const call of [...this.#calls]) this.#endEarly(call, () => reason);
  }

  get underWay(): number {
    return this.#calls.size;
  }

  #statements(call: PendingCall, sending: Sending): StatementExchange {
    const { before = NO_STEPS, after = NO_STEPS } = sending;
    const limit = call.limitStep === undefined ? NO_STEPS : [call.limitStep];
    const steps =
      before.length + after.length + limit.length === 0
        ? call.steps
        : [...before, ...limit, ...call.steps, ...after];
    const skipped = before.length + limit.length;
    return new StatementExchange({
      steps,
      shapes: this.#home.shapes,
      isBarrier: sending.isBarrier ?? false,
      ...(sending.refusal === undefined ? {} : { refusal: sending.refusal }),
      answered: (answer) => this.#answered(call, sending, { answer, skipped }),
      lost: ({ error, sent, tags, failure }) => {
        const isDone = tags.length >= steps.length;
        this.#lost(call, sending, { error, mayBeDone: sent && (isDone || failure === undefined), failure });
      },
    });
  }

  #script(call: PendingCall, sending: Sending): ScriptExchange {
    return new ScriptExchange({
      text: sending.inTransaction === true ? guarded(call.text) : call.text,
      isBarrier: sending.isBarrier ?? false,
      ...(sending.refusal === undefined ? {} : { refusal: sending.refusal }),
      answered: (failure, status) => {
        const answer = { status, tags: [], failure, fault: undefined, isStale: false };
        this.#answered(call, sending, { answer, skipped: 0 });
      },
      lost: ({ error, sent, failure }) =>
        this.#lost(call, sending, { error, mayBeDone: sent && failure === undefined, failure }),
    });
  }

  #answered(
    call: PendingCall,
    sending: Sending,
    { answer, skipped }: { answer: ExchangeAnswer; skipped: number },
  ): void {
    const { status, failure, fault, tags } = answer;
    if (this.#isToRepeat(call, sending, answer)) return this.#repeat(call, sending);
    this.#calls.delete(call);
    const notBegun = failure !== undefined && tags.length < (sending.before?.length ?? 0);
    const instead = sending.answered?.({ status, failure, notBegun });
    if (instead !== undefined) this.#fail(call, instead);
    else if (failure !== undefined) this.#failed(call, failure);
    else if (fault !== undefined) this.#fail(call, fault);
    else this.#succeed(call, tags, skipped);
    sending.over?.();
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
    this.send(renewSteps(call), sending);
  }

  #succeed(call: PendingCall, tags: ExchangeAnswer['tags'], skipped: number): void {
    const answers = call.steps.map(({ reader }, index) => reader.result(tags[index + skipped]!.rowsAffected));
    const rows = call.steps.reduce(
      (sum, { reader }, index) => sum + (reader.rows || tags[index + skipped]!.rowsAffected),
      0,
    );
    this.#home.noteDone(call);
    let value = call.kind === 'batch' ? answers : answers[0];
    if (call.kind === 'chunk') {
      const hasMore = tags[skipped]!.command === 'SUSPENDED';
      value = { rows: value as Chunk['rows'], hasMore, shape: call.steps[0]!.reader.shape } satisfies Chunk;
    }
    succeedCall(call, { value, rows }, this.#link.id);
  }

  #failed(call: PendingCall, failure: ServerFailure): void {
    if (call.cancelReason !== undefined) {
      return this.#fail(call, call.cancelReason({ wasRunning: true, confirmed: !isFatal(failure) }));
    }
    if (failure.code === SqlState.readOnly) this.#home.noteWrite?.(call);
    this.#fail(call, translateFailure(failure, call));
  }

  #lost(
    call: PendingCall,
    sending: Sending,
    { error, mayBeDone, failure }: { error: Error; mayBeDone: boolean; failure: ServerFailure | undefined },
  ): void {
    this.#calls.delete(call);
    const isUnknown = mayBeDone && call.mayWrite && sending.inTransaction !== true;
    if (call.cancelReason !== undefined) {
      this.#fail(call, call.cancelReason({ wasRunning: true, confirmed: !isUnknown }));
    } else if (error instanceof MillpondError) this.#fail(call, error);
    else if (isUnknown) this.#fail(call, unknownError(error));
    else
      this.#fail(call, failure === undefined ? connectionLostError(error) : translateFailure(failure, call));
    sending.over?.();
  }

  #fail(call: PendingCall, error: unknown): void {
    failCall(call, error, this.#link.id);
  }

  /** What can end the call early: its signal and its time. */
  #armLimits(call: PendingCall, sending: Sending): void {
    const { signal, timeoutMs } = call;
    if (signal !== undefined) {
      call.onAbort = () => this.#endEarly(call, () => signal.reason, sending);
      signal.addEventListener('abort', call.onAbort, { once: true });
    }
    if (timeoutMs === 0) return;
    const leftMs = Math.max(0, timeoutMs - (performance.now() - call.startedAt));
    const onTimeout = () => this.#endEarly(call, (ending) => timeoutError(call, ending), sending);
    // What arrived while the event loop stood still is heard first.
    call.timer = setTimeout(() => setImmediate(onTimeout), leftMs);
    call.timer.unref();
  }

  #endEarly(call: PendingCall, reason: CancelReason, sending: Sending = NO_SENDING): void {
    if (call.settled || call.cancelReason !== undefined) return;
    call.cancelReason = reason;
    if (this.#link.withdraw(call.exchange!)) {
      this.#calls.delete(call);
      this.#fail(call, reason({ wasRunning: false, confirmed: true }));
      sending.over?.();
      return;
    }
    this.#link.cancel(call.exchange!);
    const onGraceOver = () => {
      if (!call.settled) this.#fail(call, reason({ wasRunning: true, confirmed: false }));
    };
    clearTimeout(call.timer);
    call.timer = runInRootContext(() =>
      setTimeout(() => setImmediate(onGraceOver), this.#home.cancelGraceMs),
    );
    call.timer.unref();
  }
}

const NO_SENDING: Sending = Object.freeze({});
const NO_STEPS: readonly Step[] = Object.freeze([]);

/** A script inside a transaction is undone alone: a savepoint is around it, in the same text. */
function guarded(text: string): string {
  return `savepoint ${GUARD};\n${text}\n;release savepoint ${GUARD}`;
}

/** The savepoint around what must be undone alone, inside a transaction. */
export const GUARD = 'millpond_guard';

function unknownError(cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError(
    'The connection was lost after the statement was sent: what it should have written may be committed or not.',
    { cause },
  );
}
