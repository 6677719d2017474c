import type { LeaseLike } from '../driver/index.ts';
import type { SenderEnvironment } from './call-sender.ts';
import { failCall } from './call-settlement.ts';
import type { PostgresConnection } from './connection.ts';
import type { Exchange } from './exchange.ts';
import { Line } from '../async/index.ts';
import { renewSteps, type PendingCall } from './pending-call.ts';
import { ReadGroup } from './read-group.ts';
import type { ServerFailure } from './server-error.ts';

/** Most members of a group: a failure makes all of them run again. */
const MAX_GROUP = 16;
/** The most that the members of a group may take together, so that none of them waits long for the others. */
const MAX_GROUP_MICROS = 2_000;

export interface SharedConnectionParts {
  readonly lease: LeaseLike<PostgresConnection>;
  readonly environment: SenderEnvironment;
  /** How long it takes the server, in µs. */
  readonly costOf: (call: PendingCall) => number;
  /** Sends a call again, here or on another connection. */
  readonly submit: (call: PendingCall) => void;
  /** See `Sending.moves`. */
  readonly whereTo: (call: PendingCall, failure: ServerFailure | undefined) => (() => void) | undefined;
  /** An exchange has ended. */
  readonly onOver: (shared: SharedConnection) => void;
}

/** A connection that many calls share: those of one turn are sent together, as far as that is allowed. */
export class SharedConnection {
  readonly lease: LeaseLike<PostgresConnection>;
  /** Calls under way. */
  size = 0;
  /** A slow statement keeps it; it goes back when that has ended. */
  isApart = false;
  readonly #parts: SharedConnectionParts;
  /** Calls to be sent once all calls of this turn are there. */
  #gathered: PendingCall[] = [];
  readonly #groups = new Line<ReadGroup>();
  readonly #singles = new Line<PendingCall>();
  /** What ran at the last look, and since when. */
  #running: Exchange | undefined;
  #runningSince = 0;

  constructor(parts: SharedConnectionParts) {
    this.#parts = parts;
    this.lease = parts.lease;
    this.#link.onFlush = () => this.#sendGathered();
  }

  get isUsable(): boolean {
    return this.lease.resource.usable;
  }

  send(call: PendingCall): void {
    this.size += 1;
    if (!call.plans[0]!.mayJoin || call.isSingle) return this.#sendSingly(call);
    this.#gathered.push(call);
    if (this.#gathered.length === 1) this.#link.flushSoon();
  }

  /** For how long, in ms, what runs now has been running; what ended between two looks goes unnoticed. */
  look(now: number): number {
    const { running } = this.#link;
    if (running === this.#running && running !== undefined) return now - this.#runningSince;
    this.#running = running;
    this.#runningSince = now;
    return 0;
  }

  /**
   * Lets go of all calls but the one that runs. Where several run as one it is not known which of them takes
   * so long: then all of them are sent again, each on its own, and the server stops what it does for them.
   */
  setApart(): { readonly slow: PendingCall | undefined; readonly behind: readonly PendingCall[] } {
    this.isApart = true;
    const { running } = this.#link;
    const slow = [...this.#singles].find(({ exchange }) => exchange === running);
    const singles = [...this.#singles].filter((call) => call !== slow && !isEnding(call));
    for (const call of singles) this.lease.resource.abandon(call);
    const behind: PendingCall[] = [...singles, ...this.#gathered];
    this.size -= this.#gathered.length;
    this.#gathered = [];
    for (const group of this.#groups) {
      const left = group.abandon();
      behind.push(...left);
      if (group.exchange !== running) continue;
      for (const call of left) call.isSingle = true;
      this.#link.cancel(group.exchange);
    }
    return { slow, behind };
  }

  /** Gives the connection back. */
  release(): void {
    this.#link.onFlush = undefined;
    this.lease.release(this.isUsable ? 'reuse' : 'discard');
  }

  get #link(): PostgresConnection['link'] {
    return this.lease.resource.link;
  }

  #sendGathered(): void {
    // One that was given up in the meantime makes room for others: they come in while this goes on, and go
    // along, since nothing would send them later.
    while (this.#gathered.length > 0) {
      const calls = this.#gathered;
      this.#gathered = [];
      this.#sendInGroups(calls);
    }
  }

  #sendInGroups(calls: readonly PendingCall[]): void {
    let group: PendingCall[] = [];
    let micros = 0;
    for (const call of calls) {
      if (call.signal?.aborted === true) {
        failCall(call, call.signal.reason);
        this.#over(1);
        continue;
      }
      const cost = this.#parts.costOf(call);
      if (group.length === MAX_GROUP || (group.length > 0 && micros + cost > MAX_GROUP_MICROS)) {
        this.#sendTogether(group);
        group = [];
        micros = 0;
      }
      group.push(call);
      micros += cost;
    }
    this.#sendTogether(group);
  }

  #sendTogether(calls: readonly PendingCall[]): void {
    if (calls.length === 0) return;
    if (calls.length === 1) return this.#sendSingly(calls[0]!);
    const { environment, whereTo, submit } = this.#parts;
    const group = new ReadGroup({
      link: this.#link,
      environment,
      calls,
      sendSingly: (call) => {
        call.isSingle = true;
        submit(renewSteps(call));
      },
      sendElsewhere: (call) => {
        const move = whereTo(call, undefined);
        move?.();
        return move !== undefined;
      },
      onOver: () => {
        this.#groups.remove(group);
        this.#over(calls.length);
      },
    });
    this.#groups.push(group);
    group.send();
  }

  #sendSingly(call: PendingCall): void {
    this.#singles.push(call);
    this.lease.resource.send(call, {
      moves: (failure) => this.#parts.whereTo(call, failure),
      over: () => {
        this.#singles.remove(call);
        this.#over(1);
      },
    });
  }

  #over(count: number): void {
    this.size -= count;
    this.#parts.onOver(this);
  }
}

/** A call that is being stopped is waited for where it was sent. */
function isEnding({ settled, cancelReason }: PendingCall): boolean {
  return settled || cancelReason !== undefined;
}
