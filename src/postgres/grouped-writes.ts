import { AfterTurn } from '../async/index.ts';
import type { LeaseLike } from '../driver/index.ts';
import { ConnectionPoolExhaustedError } from '../errors/index.ts';
import type { SenderEnvironment } from './call-sender.ts';
import { failCall } from './call-settlement.ts';
import { CallQueue } from './call-queue.ts';
import type { ConnectionSource } from './clean-source.ts';
import type { PostgresConnection } from './connection.ts';
import { ENGINE_HOLDERS } from './engine-connections.ts';
import { renewSteps, type PendingCall } from './pending-call.ts';
import { SqlState } from './translate-failure.ts';
import { WriteGroup } from './write-group.ts';

/** Most members of a group: a failure makes all of them run again. */
const MAX_GROUP = 128;
/** A write that is under way for longer than this no longer holds up those behind it. */
const STALL_MS = 100;

interface GroupedWritesParts {
  /** Connections that wait for no lock for long. */
  readonly source: ConnectionSource;
  readonly maxConnections: number;
  readonly maxWaiting: number;
  readonly environment: SenderEnvironment;
  /** Whether it may be a member of a group. */
  isCheap(call: PendingCall): boolean;
  /** Sends a call on a connection where it may wait. */
  runAlone(call: PendingCall): void;
}

/**
 * Writes outside transactions, in the order of their calls. While some are under way the next ones gather and
 * are sent together: in one transaction, with one wait for the disk. There is no artificial wait.
 *
 * A group must not wait for a lock while it holds others: the holder of that lock may be waiting for one of
 * the group's, a deadlock that no single statement could cause. So the group's connection gives up after a
 * moment, and a member that has to wait does so alone, on a connection of its own.
 */
export class GroupedWrites {
  groupCommits = 0;
  groupedWrites = 0;
  readonly #parts: GroupedWritesParts;
  readonly #queue = new CallQueue();
  /** Connections that are in use. */
  #busy = 0;
  #underWay = 0;
  #isAcquiring = false;
  #stallTimer: NodeJS.Timeout | undefined;
  /** Those under way for too long. */
  #stalled = 0;
  #lease: LeaseLike<PostgresConnection> | undefined;
  /** Not at once: the callers that were just answered are about to ask for more. */
  readonly #givingBack = new AfterTurn(() => this.giveBackIdle());

  constructor(parts: GroupedWritesParts) {
    this.#parts = parts;
  }

  /** Calls in line or under way. */
  get pending(): number {
    return this.#queue.length + this.#underWay;
  }

  submit(call: PendingCall): void {
    call.placement = 'grouped';
    if (this.#queue.length >= this.#parts.maxWaiting) return failCall(call, fullError(this.#queue.length));
    this.#queue.push(call);
    this.#pump();
  }

  #pump(): void {
    if (this.#queue.length === 0) return;
    if (this.#busy > this.#stalled) return;
    if (this.#busy >= this.#parts.maxConnections) return;
    // It may have been lost since its last answer.
    if (this.#lease?.resource.usable === false) this.giveBackIdle();
    // One that is here is used, also while another one is waited for.
    const kept = this.#lease;
    this.#lease = undefined;
    if (kept === undefined && this.#isAcquiring) return;
    const lease = kept ?? this.#parts.source.tryAcquire(ENGINE_HOLDERS.groupedWrites);
    if (lease === undefined) this.#acquire();
    else this.#sendNext(lease);
  }

  #acquire(): void {
    this.#isAcquiring = true;
    this.#parts.source.acquire({ holder: ENGINE_HOLDERS.groupedWrites }).then(
      (lease) => {
        this.#isAcquiring = false;
        this.#keep(lease);
      },
      (error: unknown) => {
        this.#isAcquiring = false;
        this.#queue.rejectAll(error);
      },
    );
  }

  #sendNext(lease: LeaseLike<PostgresConnection>): void {
    const calls = this.#takeGroup();
    const turn = new Turn(calls.length);
    this.#busy += 1;
    this.#underWay += calls.length;
    turn.onOver = () => this.#over(lease, turn);
    if (calls.length === 1) this.#sendAlone(lease, calls[0]!, turn);
    else this.#sendGroup(lease, calls, turn);
    this.#stallTimer ??= setTimeout(() => this.#onStall(turn), STALL_MS).unref();
  }

  /** The calls that may go together; one about which nothing is known goes alone. */
  #takeGroup(): PendingCall[] {
    const first = this.#queue.shift()!;
    const calls = [first];
    if (!this.#parts.isCheap(first)) return calls;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (calls.length >= MAX_GROUP || !this.#parts.isCheap(next)) break;
      calls.push(this.#queue.shift()!);
    }
    return calls;
  }

  #sendAlone({ resource }: LeaseLike<PostgresConnection>, call: PendingCall, turn: Turn): void {
    resource.send(call, {
      moves: (failure) => {
        if (failure?.code !== SqlState.lockNotAvailable) return undefined;
        return () => this.#parts.runAlone(renewSteps(call));
      },
      over: () => turn.end(),
    });
  }

  #sendGroup(lease: LeaseLike<PostgresConnection>, calls: readonly PendingCall[], turn: Turn): void {
    const group = new WriteGroup({
      link: lease.resource.link,
      environment: this.#parts.environment,
      calls,
      onUndone: (left) => {
        turn.expect(left.length);
        for (const call of left) this.#sendAlone(lease, call, turn);
      },
      onOver: () => {
        this.groupCommits += 1;
        this.groupedWrites += calls.length;
        turn.end(calls.length);
      },
    });
    group.send();
  }

  #over(lease: LeaseLike<PostgresConnection>, turn: Turn): void {
    this.#busy -= 1;
    this.#underWay -= turn.size;
    if (turn.isStalled) this.#stalled -= 1;
    else this.#stopWatching();
    this.#keep(lease);
  }

  /** For what waits, or will in a moment: one at most. */
  #keep(lease: LeaseLike<PostgresConnection>): void {
    if (!lease.resource.usable || this.#lease !== undefined) {
      lease.release(lease.resource.usable ? 'reuse' : 'discard');
    } else {
      this.#lease = lease;
    }
    if (this.#queue.length === 0) this.#givingBack.schedule();
    this.#pump();
  }

  /** Ends the moment that a connection is kept for those who were just answered. */
  giveBackIdle(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release(lease.resource.usable ? 'reuse' : 'discard');
  }

  #onStall(turn: Turn): void {
    this.#stallTimer = undefined;
    if (turn.isOver) return;
    turn.isStalled = true;
    this.#stalled += 1;
    this.#pump();
  }

  #stopWatching(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
  }
}

/** What is under way on one connection, until all of it has ended. */
class Turn {
  readonly size: number;
  isStalled = false;
  isOver = false;
  onOver: () => void = () => undefined;
  #left: number;

  constructor(size: number) {
    this.size = size;
    this.#left = size;
  }

  /** It takes longer than was expected. */
  expect(count: number): void {
    this.#left += count;
  }

  end(count = 1): void {
    this.#left -= count;
    if (this.#left > 0) return;
    this.isOver = true;
    this.onOver();
  }
}

function fullError(waiting: number): ConnectionPoolExhaustedError {
  return new ConnectionPoolExhaustedError(
    `The line of writes is full: ${waiting} are waiting. The database is slower than its callers, or ` +
      'something holds a lock that they need.',
  );
}
