import type { BeginOptions } from '../driver/index.ts';
import { OutcomeUnknownError, TransactionError, type MillpondError } from '../errors/index.ts';
import { GUARD, NO_SENDING, type CallAnswer, type Sending } from './call-sender.ts';
import type { Loss } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { engineStep, type PendingCall } from './pending-call.ts';
import { joinChanges, type Changes } from './changes.ts';
import type { Plan } from './plan.ts';
import { ResultReader } from './result-reader.ts';
import type { RowShapes } from './row-shape.ts';
import { isFatal, type ServerFailure } from './server-error.ts';
import { longerLimitTexts, type ServerLimits } from './server-limits.ts';
import { StatementExchange, type ExchangeAnswer, type Step } from './statement-exchange.ts';
import type { TableKnowledge } from './table-knowledge.ts';
import { abortedError, asLost, closedError, statementOf } from './transaction-errors.ts';
import { connectionLostError, SqlState, translateFailure } from './translate-failure.ts';

interface ControlEnvironment {
  readonly shapes: RowShapes;
  readonly knowledge: TableKnowledge;
  readonly serverLimits: ServerLimits;
  /** Whether the server may keep statements under names. */
  readonly keepsStatements: boolean;
  isWatched(): boolean;
  announceChanges(changes: Changes): void;
  noteDefinitions(plans: readonly Plan[]): void;
  isCommitted(transactionId: string): Promise<boolean | undefined>;
}

const NUMBER_TEXT = 'select pg_current_xact_id_if_assigned()::text';

/** What came of an exchange of the control's own. */
type Outcome =
  | { readonly kind: 'answered'; readonly answer: ExchangeAnswer }
  | { readonly kind: 'lost'; readonly loss: CommitLoss };

/** What had come of an exchange when the connection went away. */
type CommitLoss = Loss & Pick<ExchangeAnswer, 'failure' | 'tags'>;

/**
 * BEGIN, COMMIT, ROLLBACK and savepoints of one connection.
 *
 * A statement whose BEGIN failed would run by itself, so BEGIN and the first statement are one exchange, of
 * which the server skips the rest when BEGIN fails, and what comes behind waits until it is known to have
 * succeeded.
 */
export class TransactionControl {
  readonly #link: PostgresLink;
  readonly #environment: ControlEnvironment;
  #state: 'none' | 'unsent' | 'sent' | 'open' | 'failed' | 'ended' = 'none';
  #beginSteps: readonly Step[] = [];
  #begun: PromiseWithResolvers<void> = Promise.withResolvers();
  #readOnly = false;
  #transactionId: number | undefined;
  /** Asked with its first write: the number that the server gave the transaction. */
  #number: Step | undefined;
  /** Why the transaction is aborted, if it is. */
  #firstFailure: Error | undefined;
  readonly #learn: (plan: Plan) => Promise<void>;
  /** What may have changed data in it; undefined where nobody wanted to hear of it when it began. */
  #writes: Set<Plan> | undefined;
  /** What every transaction says, the server has parsed once for each connection. */
  readonly #plainBegin: readonly Step[];
  readonly #commit: Step;
  /** How most statements are sent. */
  readonly #inside: Sending;
  readonly #sendUnsentBegin = (): void => this.sendBegin();

  /** @param learn asks the server, on this connection, what a statement touches */
  constructor(link: PostgresLink, environment: ControlEnvironment, learn: (plan: Plan) => Promise<void>) {
    this.#link = link;
    this.#environment = environment;
    this.#learn = learn;
    this.#plainBegin = [this.#step('begin')];
    this.#commit = this.#step('commit');
    this.#inside = {
      inTransaction: true,
      refusal: () => this.refusal(),
      answered: (answer, call) => this.#noteAnswer(answer, call),
    };
  }

  /** From BEGIN until its end was answered. */
  get isOpen(): boolean {
    return this.#state !== 'none';
  }

  get transactionId(): number | undefined {
    return this.#state === 'none' ? undefined : this.#transactionId;
  }

  /** Waits for a statement to go with, until the end of this turn. */
  begin(options: BeginOptions): Promise<void> {
    this.#beginSteps = this.#beginStepsOf(options);
    this.#begun = Promise.withResolvers();
    this.#readOnly = options.readOnly;
    this.#transactionId = options.transactionId;
    this.#number = undefined;
    this.#firstFailure = undefined;
    this.#writes = this.#environment.isWatched() ? new Set() : undefined;
    this.#state = 'unsent';
    process.nextTick(this.#sendUnsentBegin);
    return this.#begun.promise;
  }

  /**
   * How a statement of the transaction is sent. The first takes BEGIN along, the first write the question for
   * its number.
   */
  join(given: Sending, call: PendingCall): Sending {
    const asked = this.#questionWith(call);
    const isFirst = this.#state === 'unsent';
    if (!isFirst && asked === undefined && given === NO_SENDING) return this.#inside;
    if (isFirst) this.#state = 'sent';
    const { before = [], after = [], isBarrier } = given;
    return {
      ...this.#inside,
      before: isFirst ? [...this.#beginSteps, ...before] : before,
      after: asked === undefined ? after : [...after, asked],
      isBarrier: isFirst || isBarrier,
      over: isFirst ? () => this.#firstIsOver() : undefined,
    };
  }

  #beginStepsOf({ readOnly, isolation, timeoutMs }: BeginOptions): readonly Step[] {
    if (!readOnly && isolation === undefined && timeoutMs === undefined) return this.#plainBegin;
    const level = isolation === undefined ? '' : ` isolation level ${isolation}`;
    const limits = longerLimitTexts(timeoutMs, this.#environment.serverLimits, this.#link.parameters);
    const begin = this.#step(`begin${level}${readOnly ? ' read only' : ''}`);
    return [begin, ...limits.map((text) => engineStep(text))];
  }

  /** After a batch or script that failed: the transaction goes on as if it had not been. */
  #undoGuarded(error: Error): void {
    const steps = [engineStep(`rollback to savepoint ${GUARD}`), engineStep(`release savepoint ${GUARD}`)];
    const undone = (outcome: Outcome): void => {
      if (outcome.kind === 'answered' && outcome.answer.failure !== undefined) this.noteFailure(error);
    };
    this.#link.sendFirst(this.#exchange(steps, undone));
  }

  /** A statement of the control's own, inside the transaction. */
  async run(text: string): Promise<void> {
    const outcome = await this.#perform([engineStep(text)], text);
    this.#assertDone(outcome, text);
  }

  async rollbackTo(name: string): Promise<void> {
    await this.run(`rollback to savepoint ${name}`);
    this.#firstFailure = undefined;
  }

  /** Not awaited by anybody who would need to know: at the latest the transaction's end closes it. */
  async closePortal(name: string): Promise<void> {
    await this.#perform([engineStep(`close ${name}`)], 'close');
  }

  async commit(): Promise<void> {
    if (this.#isUnsent()) return;
    // What was not written cannot be lost. Of the rest the number is known, or on its way, before COMMIT
    // begins: with it the server can be asked what became of the transaction, should the answer not arrive.
    const isNumbered = this.#readOnly || this.#link.status === 'E' || numberIn(this.#number) !== undefined;
    const asked = isNumbered ? undefined : this.#numberStep();
    const steps = asked === undefined ? [this.#commit] : [asked, { ...this.#commit, flushed: true }];
    const outcome = await this.#perform(steps, 'commit');
    if (outcome.kind === 'lost') {
      this.#state = 'none';
      return this.#tellAnyway(this.#resolveLoss(outcome.loss, asked));
    }
    if (outcome.answer.status !== 'I') await this.#rollBackAborted();
    this.#state = 'none';
    this.#assertCommitted(outcome.answer);
    if (!this.#readOnly && this.#environment.isWatched()) await this.#announce();
  }

  async rollback(): Promise<void> {
    if (this.#isUnsent()) return;
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#link.send(this.#exchange([engineStep('rollback')], resolve));
    });
    this.#state = 'none';
    if (outcome.kind === 'lost') throw connectionLostError(outcome.loss.error);
    if (outcome.answer.status !== 'I') throw new TransactionError('ROLLBACK failed.');
  }

  /**
   * A write has a number from then on, and so the question costs no way of its own. Behind anything else it
   * could come too early, and be a query where none may have been (SET TRANSACTION).
   */
  #questionWith({ kind, plans }: PendingCall): Step | undefined {
    if (this.#number !== undefined || this.#readOnly) return undefined;
    if (kind !== 'statement' || plans[0]!.kind !== 'write') return undefined;
    this.#number = this.#numberStep();
    return this.#number;
  }

  #step(text: string): Step {
    return { ...engineStep(text), named: this.#environment.keepsStatements };
  }

  #numberStep(): Step {
    const { values, named } = this.#commit;
    return { text: NUMBER_TEXT, values, reader: new ResultReader('value'), named };
  }

  #noteWrites({ plans }: PendingCall): void {
    this.#environment.noteDefinitions(plans);
    if (this.#writes === undefined) return;
    for (const plan of plans) if (plan.kind !== 'read' || plan.mayWrite) this.#writes.add(plan);
  }

  /** Tells of what is committed, or may be, where the server cannot be asked any more what it touched. */
  async #tellAnyway(ending: Promise<void>): Promise<void> {
    const tell = (): void => {
      if (!this.#readOnly && this.#environment.isWatched()) this.#environment.announceChanges('anything');
    };
    try {
      await ending;
      tell();
    } catch (error) {
      if (error instanceof OutcomeUnknownError) tell();
      throw error;
    }
  }

  /** Tells of what was committed, before the caller is told. */
  async #announce(): Promise<void> {
    const writes = this.#writes;
    this.#writes = undefined;
    // A listener that came while the transaction ran is told that anything may have changed.
    if (writes === undefined) return this.#environment.announceChanges('anything');
    const { knowledge } = this.#environment;
    for (const plan of writes) if (knowledge.changesOf(plan) === undefined) await this.#learn(plan);
    const changes = [...writes].map((plan) => knowledge.changesOf(plan) ?? 'anything');
    if (changes.includes('anything')) knowledge.forget();
    this.#environment.announceChanges(joinChanges(changes));
  }

  /** Nothing was done: nothing has to be ended. */
  #isUnsent(): boolean {
    if (this.#state !== 'unsent') return false;
    this.#state = 'none';
    this.#begun.resolve();
    return true;
  }

  /** Has BEGIN go alone, ahead of what cannot take it along. */
  sendBegin(place?: 'before what waits'): void {
    if (this.#state !== 'unsent') return;
    this.#state = 'sent';
    const begun = (outcome: Outcome): void => {
      if (this.#state !== 'sent') return;
      if (outcome.kind === 'lost') this.#failBegin(connectionLostError(outcome.loss.error));
      else if (outcome.answer.failure !== undefined) {
        this.#failBegin(translateFailure(outcome.answer.failure, statementOf('begin')));
      } else {
        this.#state = 'open';
        this.#begun.resolve();
      }
    };
    const exchange = this.#exchange(this.#beginSteps, begun, true);
    if (place === undefined) this.#link.send(exchange);
    else this.#link.sendFirst(exchange);
  }

  /** Why nothing more may be sent in this transaction, if so. */
  refusal(): Error | undefined {
    if (this.#state === 'failed') return closedError('Its BEGIN failed', this.#firstFailure);
    if (this.#state === 'ended') return closedError('PostgreSQL has ended it by itself', undefined);
    return undefined;
  }

  /** Takes note of a statement's answer. @returns what the caller must be told instead */
  #noteAnswer({ status, failure, notBegun }: CallAnswer, call: PendingCall): Error | undefined {
    if (failure === undefined) this.#noteWrites(call);
    else this.#noteFailed(call, failure, notBegun);
    if (this.#state === 'sent') {
      // Nothing was sent, and BEGIN neither: it goes when the statement is over.
      if (notBegun && failure === undefined) return undefined;
      if (notBegun && status === 'I') return this.#failBegin(this.#firstFailure!);
      this.#state = 'open';
      this.#begun.resolve();
    }
    if (status === 'I') this.#state = 'ended';
    return undefined;
  }

  #noteFailed(call: PendingCall, failure: ServerFailure, notBegun: boolean): void {
    const error = translateFailure(failure, call);
    const isGuarded = call.kind === 'batch' || call.kind === 'script';
    if (isGuarded && !notBegun && failure.code !== SqlState.aborted) this.#undoGuarded(error);
    else this.noteFailure(error);
  }

  /** Takes note of what has aborted the transaction. The first failure is its reason. */
  noteFailure(error: Error): void {
    this.#firstFailure ??= error;
  }

  /** Something was written of which nobody knows the tables. */
  noteUnknownWrite(): void {
    this.#writes = undefined;
  }

  /** The statement that BEGIN went with was answered, lost, or taken back. */
  #firstIsOver(): void {
    if (this.#state !== 'sent') return;
    if (!this.#link.usable) {
      this.#failBegin(connectionLostError(new Error('the connection was lost')));
      return;
    }
    this.#state = 'unsent';
    this.sendBegin('before what waits');
  }

  /** @returns what the statement that went with it must be told */
  #failBegin(error: Error): Error {
    this.#state = 'failed';
    this.#firstFailure = error;
    this.#begun.reject(error);
    return closedError('Its BEGIN failed', error);
  }

  #perform(steps: readonly Step[], text: string): Promise<Outcome> {
    if (this.#state === 'unsent') this.sendBegin();
    return new Promise((resolve) => {
      const isBarrier = text === 'commit';
      this.#link.send(this.#exchange(steps, resolve, isBarrier, this.#inside.refusal));
    });
  }

  #exchange(
    steps: readonly Step[],
    done: (outcome: Outcome) => void,
    isBarrier = false,
    refusal?: () => Error | undefined,
  ): StatementExchange {
    return new StatementExchange({
      steps,
      shapes: this.#environment.shapes,
      isBarrier,
      refusal,
      answered: (answer) => done({ kind: 'answered', answer }),
      lost: (loss) => done({ kind: 'lost', loss }),
    });
  }

  #assertDone(outcome: Outcome, text: string): void {
    if (outcome.kind === 'lost') throw asLost(outcome.loss);
    const { failure, status } = outcome.answer;
    if (status === 'I') this.#state = 'ended';
    if (failure !== undefined) throw this.#withFirst(translateFailure(failure, statementOf(text)));
  }

  /** What comes after an aborted transaction says only that; the reason is what came before. */
  #withFirst(error: MillpondError): MillpondError {
    if (error.code !== 'ERR_MILLPOND_TRANSACTION_ABORTED' || this.#firstFailure === undefined) return error;
    return abortedError(this.#firstFailure);
  }

  #assertCommitted({ failure, tags }: ExchangeAnswer): void {
    if (failure !== undefined) throw this.#withFirst(translateFailure(failure, statementOf('commit')));
    // Of an aborted transaction COMMIT is a ROLLBACK, and not a failure to the server.
    if (tags.at(-1)?.command !== 'COMMIT') throw abortedError(this.#firstFailure);
  }

  async #rollBackAborted(): Promise<void> {
    await new Promise<Outcome>((resolve) => {
      this.#link.send(this.#exchange([engineStep('rollback')], resolve));
    });
  }

  async #resolveLoss(loss: CommitLoss, asked: Step | undefined): Promise<void> {
    const { sent, failure, tags } = loss;
    // What ends a connection may come behind the COMMIT, and says nothing of it.
    if (tags.at(-1)?.command === 'COMMIT') return;
    const isBeforeCommit = failure !== undefined && tags.length < (asked === undefined ? 0 : 1);
    const isOpen = sent && !this.#readOnly && !isBeforeCommit && (failure === undefined || isFatal(failure));
    if (!isOpen) throw asLost(loss);
    // It has written nothing: there is nothing to be known.
    if (asked?.reader.rows === 1 && numberIn(asked) === undefined) return;
    const transactionId = numberIn(asked ?? this.#number);
    const isCommitted =
      transactionId === undefined ? undefined : await this.#environment.isCommitted(transactionId);
    if (isCommitted === true) return;
    if (isCommitted === false) throw asLost(loss);
    throw new OutcomeUnknownError(
      'The connection was lost after COMMIT was sent: the transaction may be committed or not.',
      { cause: loss.error },
    );
  }
}

/** @returns undefined where it was not asked, not answered, or none was given so far */
function numberIn(step: Step | undefined): string | undefined {
  return (step?.reader.result(0) as string | null | undefined) ?? undefined;
}
