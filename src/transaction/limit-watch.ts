import type { Clock, Timer } from '../async/index.ts';
import type { TransactionLimits } from './transaction-environment.ts';

/** A timer that is later than this was held up by more than a busy event loop. */
const STALL_MS = 100;

/** What is done when a limit passes. */
export interface LimitActions {
  timedOut(timeoutMs: number): void;
  idleTooLong(timeoutMs: number): void;
  heldTooLong(heldMs: number): void;
  /** A COMMIT cannot be taken back; where no answer comes, that is all that can be said. */
  commitUnanswered(waitedMs: number): void;
}

export interface WatchedTransaction {
  readonly clock: Clock;
  readonly limits: TransactionLimits;
  /** True where a caller waits for its end: the process must not end before a limit does it. */
  readonly keepAlive: boolean;
}

/**
 * The limits of one transaction, on one timer. Statements set no timers of their own: they leave a time,
 * which is looked at when the timer fires; then it is set again for whatever is due next.
 */
export class LimitWatch {
  readonly #clock: Clock;
  readonly #limits: TransactionLimits;
  readonly #timeoutMs: number;
  readonly #keepAlive: boolean;
  readonly #actions: LimitActions;
  readonly #takenMs: number;
  #begunMs: number;
  #idleSinceMs: number;
  #underWay = 0;
  #commitSentMs: number | undefined;
  #heldReported = false;
  #timer: Timer | undefined;
  #isStopped = false;
  /** When the timer was to fire. */
  #lookDueMs = Infinity;

  constructor({ clock, limits, keepAlive }: WatchedTransaction, actions: LimitActions) {
    this.#clock = clock;
    this.#limits = limits;
    this.#timeoutMs = limits.transactionTimeoutMs;
    // A report of being held too long ends nothing.
    this.#keepAlive = keepAlive && (this.#timeoutMs > 0 || limits.idleInTransactionTimeoutMs > 0);
    this.#actions = actions;
    this.#takenMs = clock.now();
    this.#begunMs = this.#takenMs;
    this.#idleSinceMs = this.#takenMs;
  }

  /** How long the transaction, or the part of it since `commitAndContinue`, has been running. */
  get durationMs(): number {
    return this.#clock.now() - this.#begunMs;
  }

  /** A transaction begins on the connection. */
  begin(): void {
    this.#begunMs = this.#clock.now();
    this.#idleSinceMs = this.#begunMs;
    this.#underWay = 0;
    this.#commitSentMs = undefined;
    this.#isStopped = false;
    this.#look();
  }

  /** A statement goes out. */
  sent(): void {
    this.#underWay++;
  }

  answered(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#idleSinceMs = this.#clock.now();
  }

  /** From here on only the COMMIT's own limit counts. */
  commitSent(): void {
    this.#commitSentMs = this.#clock.now();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer?.cancel();
    const nowMs = this.#clock.now();
    const nextMs =
      this.#commitSentMs === undefined
        ? this.#lookAtAll(nowMs)
        : this.#lookAtCommit(nowMs, this.#commitSentMs);
    this.#lookDueMs = nextMs;
    // Whoever heard of what was found may have ended the transaction.
    if (nextMs === Infinity || this.#isStopped) return;
    const options = { keepAlive: this.#keepAlive };
    this.#timer = this.#clock.after(nextMs - nowMs, () => this.#look(), options);
  }

  /** @returns when to look again. */
  #lookAtAll(nowMs: number): number {
    const { idleInTransactionTimeoutMs: idleMs, heldTooLongMs } = this.#limits;
    const heldDueMs = this.#heldReported ? Infinity : dueMs(this.#takenMs, heldTooLongMs);
    if (nowMs >= heldDueMs) {
      this.#heldReported = true;
      this.#actions.heldTooLong(nowMs - this.#takenMs);
    }
    const timeoutDueMs = dueMs(this.#begunMs, this.#timeoutMs);
    const idleDueMs = dueMs(this.#underWay > 0 ? nowMs : this.#idleSinceMs, idleMs);
    if (nowMs >= timeoutDueMs) this.#actions.timedOut(this.#timeoutMs);
    else if (nowMs >= idleDueMs) this.#actions.idleTooLong(idleMs);
    else return Math.min(timeoutDueMs, idleDueMs, this.#heldReported ? Infinity : heldDueMs);
    return Infinity;
  }

  #lookAtCommit(nowMs: number, sentMs: number): number {
    if (this.#timeoutMs === 0) return Infinity;
    // A COMMIT sent at the last moment still gets the grace.
    const due = Math.max(this.#begunMs + this.#timeoutMs, sentMs) + this.#limits.cancelGraceMs;
    if (nowMs < due) return due;
    // The process stood still, so no answer could be sent or received.
    if (nowMs > this.#lookDueMs + STALL_MS) return nowMs + this.#limits.cancelGraceMs;
    this.#actions.commitUnanswered(nowMs - sentMs);
    return Infinity;
  }
}

function dueMs(sinceMs: number, limitMs: number): number {
  return limitMs === 0 ? Infinity : sinceMs + limitMs;
}
