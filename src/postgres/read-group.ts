import { armGrace, CallAlarms, disarm, NEVER_SENT, type CancelReason } from '../driver/index.ts';
import { MillpondError } from '../errors/index.ts';
import { failCall, stopped, succeedCall } from './call-settlement.ts';
import type { SenderEnvironment } from './call-sender.ts';
import type { CommandTag } from './command-tag.ts';
import type { Loss } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import type { PendingCall } from './pending-call.ts';
import { StatementExchange, type ExchangeAnswer } from './statement-exchange.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';

interface ReadGroupParts {
  readonly link: PostgresLink;
  readonly environment: SenderEnvironment;
  readonly calls: readonly PendingCall[];
  /** It has failed, or another one before it: it has to be sent without the others. */
  readonly sendSingly: (call: PendingCall) => void;
  /** The connection was lost under it. @returns false where it has been sent often enough */
  readonly sendElsewhere: (call: PendingCall) => boolean;
  /** Nothing of it is under way any longer. */
  readonly onOver: () => void;
}

/**
 * Reads of several callers up to one Sync: the server answers them with one packet, and begins and ends one
 * transaction for all. None of them affects the others: one that fails or is stopped, and those that the
 * server skips because of it, are sent again, each on its own.
 */
export class ReadGroup {
  readonly exchange: StatementExchange;
  readonly #parts: ReadGroupParts;
  readonly #alarms: CallAlarms<PendingCall>;
  /** Those that wait for the answer to this group. */
  #calls: readonly PendingCall[];

  constructor(parts: ReadGroupParts) {
    this.#parts = parts;
    this.#calls = parts.calls;
    this.#alarms = new CallAlarms({
      calls: () => this.#calls,
      cancel: (call, reason) => this.#endEarly(call, reason),
    });
    this.exchange = new StatementExchange({
      steps: parts.calls.map((call) => call.steps[0]!),
      shapes: parts.environment.shapes,
      answered: (answer) => this.#answered(answer),
      lost: (loss) => this.#lost(loss),
    });
  }

  send(): void {
    const sentAt = performance.now();
    for (const call of this.#calls) {
      call.sentAt = sentAt;
      this.#alarms.arm(call);
    }
    this.#parts.link.send(this.exchange);
  }

  /** Lets go of its calls, which are sent elsewhere, except for one that is being stopped. */
  abandon(): PendingCall[] {
    const left = this.#calls.filter(({ settled, cancelReason }) => !settled && cancelReason === undefined);
    this.#calls = this.#calls.filter((call) => !left.includes(call));
    left.forEach(disarm);
    return left;
  }

  #answered({ failure, fault, tags }: ExchangeAnswer): void {
    const { sendSingly } = this.#parts;
    const calls = this.#end();
    // If rows could not be given in the form asked for, nobody gets the rows behind them.
    const done = fault === undefined ? tags.length : 0;
    if (calls.length === this.#parts.calls.length) this.#succeed(calls.slice(0, done), tags);
    for (const call of calls) {
      if (call.settled) continue;
      if (call.cancelReason !== undefined) {
        this.#fail(call, call.cancelReason(stopped(true)));
      } else if (failure !== undefined || fault !== undefined) sendSingly(call);
    }
    this.#parts.onOver();
  }

  #succeed(calls: readonly PendingCall[], tags: readonly CommandTag[]): void {
    if (calls.length === 0) return;
    const { environment, link } = this.#parts;
    const answer = { sentAt: calls[0]!.sentAt!, answeredAt: link.answeredAt, now: performance.now() };
    const ranMs = environment.workedMs({ ...answer, calls: this.#parts.calls.length });
    for (let index = 0; index < calls.length; index += 1) {
      const call = calls[index]!;
      const { reader } = call.steps[0]!;
      const { rows } = reader;
      environment.noteDone(call, { rows, ranMs });
      succeedCall(call, { value: reader.result(tags[index]!.rowsAffected), rows, ranMs }, link.id);
    }
  }

  #lost({ error, failure }: Loss & Pick<ExchangeAnswer, 'failure'>): void {
    for (const call of this.#end()) {
      if (call.settled) continue;
      if (call.cancelReason !== undefined) {
        this.#fail(call, call.cancelReason(stopped(true)));
      } else if (this.#parts.sendElsewhere(call)) continue;
      else if (failure !== undefined) this.#fail(call, translateFailure(failure, call));
      else this.#fail(call, error instanceof MillpondError ? error : connectionLostError(error));
    }
    this.#parts.onOver();
  }

  /** @returns those that waited for it, none of which has limits here any more */
  #end(): readonly PendingCall[] {
    const calls = this.#calls;
    this.#alarms.stop();
    for (const call of calls) if (call.cancelReason === undefined) disarm(call);
    return calls;
  }

  #endEarly(call: PendingCall, reason: CancelReason): void {
    if (call.settled || call.cancelReason !== undefined) return;
    call.cancelReason = reason;
    const { link, environment, sendSingly, onOver } = this.#parts;
    if (link.withdraw(this.exchange)) {
      const calls = this.#end();
      this.#fail(call, reason(NEVER_SENT));
      for (const other of calls) if (!other.settled) sendSingly(other);
      return onOver();
    }
    link.cancel(this.exchange);
    armGrace(call, { graceMs: environment.cancelGraceMs }, () => {
      this.#fail(call, reason(stopped(false)));
    });
  }

  #fail(call: PendingCall, error: unknown): void {
    failCall(call, error, this.#parts.link.id);
  }
}
