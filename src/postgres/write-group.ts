import { armGrace, CallAlarms, disarm, NEVER_SENT, type CancelReason } from '../driver/index.ts';
import { failCall, stopped, succeedCall } from './call-settlement.ts';
import type { SenderEnvironment } from './call-sender.ts';
import type { CommandTag } from './command-tag.ts';
import type { Loss } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { renewSteps, type PendingCall } from './pending-call.ts';
import { StatementExchange, type ExchangeAnswer } from './statement-exchange.ts';
import { connectionLostError, outcomeUnknownError } from './translate-failure.ts';

interface WriteGroupParts {
  readonly link: PostgresLink;
  readonly environment: SenderEnvironment;
  readonly calls: readonly PendingCall[];
  /** The group was undone as a whole, because of one of them: these have no answer yet, in order. */
  readonly onUndone: (left: readonly PendingCall[]) => void;
  /** Nothing of it is under way any longer. */
  readonly onOver: () => void;
}

/**
 * Writes of several callers up to one Sync: one transaction, one wait for the disk. None of them affects the
 * others: when one fails the server undoes all, and each is sent again on its own.
 */
export class WriteGroup {
  readonly #parts: WriteGroupParts;
  readonly #exchange: StatementExchange;
  readonly #alarms = new CallAlarms<PendingCall>({
    calls: () => this.#parts.calls,
    cancel: (call, reason) => this.#endEarly(call, reason),
  });

  constructor(parts: WriteGroupParts) {
    this.#parts = parts;
    const { calls, environment } = parts;
    this.#exchange = new StatementExchange({
      steps: calls.map((call) => call.steps[0]!),
      shapes: environment.shapes,
      answered: (answer) => this.#answered(answer),
      lost: (loss) => this.#lost(loss),
    });
  }

  send(): void {
    const { calls, link } = this.#parts;
    const sentAt = performance.now();
    for (const call of calls) {
      call.sentAt = sentAt;
      call.placement = 'grouped';
      this.#alarms.arm(call);
    }
    link.send(this.#exchange);
  }

  #answered({ failure, fault, tags }: ExchangeAnswer): void {
    const { calls, onUndone, onOver } = this.#parts;
    this.#alarms.stop();
    if (failure === undefined && fault === undefined) this.#succeed(tags);
    else {
      for (const call of calls) {
        // It did not fail itself. What it wrote is undone, and that is what its caller asked to be told.
        if (call.cancelReason === undefined) disarm(call);
        else this.#fail(call, call.cancelReason(stopped(true)));
      }
      onUndone(calls.filter((call) => !call.settled).map((call) => renewSteps(call)));
    }
    onOver();
  }

  #succeed(tags: readonly CommandTag[]): void {
    const { calls, environment, link } = this.#parts;
    const answer = { sentAt: calls[0]!.sentAt!, answeredAt: link.answeredAt, now: performance.now() };
    const ranMs = environment.workedMs({ ...answer, calls: calls.length });
    for (const [index, call] of calls.entries()) {
      const { reader } = call.steps[0]!;
      const { rowsAffected } = tags[index]!;
      const rows = reader.rows || rowsAffected;
      environment.noteDone(call, { rows, ranMs });
      environment.noteCommit(call);
      succeedCall(call, { value: reader.result(rowsAffected), rows, ranMs }, link.id);
    }
  }

  #lost({ error, sent, failure, tags }: Loss & Pick<ExchangeAnswer, 'failure' | 'tags'>): void {
    const { calls, environment, onOver } = this.#parts;
    this.#alarms.stop();
    // What ends a connection may come behind the COMMIT: once all was done, its reason says nothing of that.
    const isUnknown = sent && (failure === undefined || tags.length >= calls.length);
    for (const call of calls) {
      if (isUnknown) environment.noteCommit(call);
      if (call.cancelReason !== undefined) {
        this.#fail(call, call.cancelReason(stopped(!isUnknown)));
      } else this.#fail(call, isUnknown ? outcomeUnknownError(error) : connectionLostError(error));
    }
    onOver();
  }

  #endEarly(call: PendingCall, reason: CancelReason): void {
    if (call.settled || call.cancelReason !== undefined) return;
    call.cancelReason = reason;
    const { link, environment, calls, onUndone, onOver } = this.#parts;
    if (link.withdraw(this.#exchange)) {
      this.#alarms.stop();
      this.#fail(call, reason(NEVER_SENT));
      const left = calls.filter((other) => !other.settled);
      left.forEach(disarm);
      onUndone(left);
      return onOver();
    }
    link.cancel(this.#exchange);
    armGrace(call, { graceMs: environment.cancelGraceMs }, () => {
      this.#fail(call, reason(stopped(false)));
    });
  }

  #fail(call: PendingCall, error: unknown): void {
    failCall(call, error, this.#parts.link.id);
  }
}
