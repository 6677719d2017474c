import { runInRootContext, type Clock } from '../async/index.ts';
import { ConnectionError } from '../errors/index.ts';
import type { ResourceFactory } from './factory.ts';
import type { Slot } from './lease.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import { withinLimit } from './time-limit.ts';

interface InspectorParts<Resource> {
  readonly name: string;
  readonly factory: ResourceFactory<Resource>;
  readonly clock: Clock;
  readonly options: ResolvedPoolOptions;
  readonly onError: (error: unknown, slot: Slot<Resource>) => void;
}

export type Check = 'ping' | 'reset';

/** Runs the factory's checks on resources that nobody holds; each has `checkTimeoutMs` to pass. */
export class Inspector<Resource> {
  readonly #parts: InspectorParts<Resource>;
  readonly #stop = new AbortController();
  #running = 0;

  constructor(parts: InspectorParts<Resource>) {
    this.#parts = parts;
  }

  /** Checks under way. */
  get running(): number {
    return this.#running;
  }

  /** Whether it was idle for so long that it may have died unnoticed. */
  needsPing(slot: Slot<Resource>, nowMs: number): boolean {
    const { factory, options } = this.#parts;
    return factory.ping !== undefined && nowMs - slot.checkedAtMs >= options.pingAfterIdleMs;
  }

  /** Runs the check and calls `done`, whatever happens, in the same step in which `running` goes down. */
  check(slot: Slot<Resource>, check: Check, done: (passed: boolean) => void): void {
    this.#running += 1;
    const finish = (passed: boolean) => {
      this.#running -= 1;
      done(passed);
    };
    runInRootContext(() => this.#ask(slot, check)).then(finish, (error: unknown) => {
      // A check that was stopped has no result; whoever stopped it retires the slot.
      if (!this.#stop.signal.aborted) this.#parts.onError(error, slot);
      finish(false);
    });
  }

  /** Stops waiting for any answer. */
  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  async #ask({ resource }: Slot<Resource>, check: Check): Promise<boolean> {
    const { name, factory, clock, options } = this.#parts;
    const limitMs = options.checkTimeoutMs;
    const late = () =>
      new ConnectionError(`A ${check} in pool "${name}" was not answered within ${limitMs} ms.`);
    // An engine may throw where it should reject; both end here, in this promise.
    const answer = check === 'ping' ? factory.ping?.(resource) : factory.reset?.(resource);
    // Those who wait for a connection have limits of their own, and nobody else waits for this.
    const limit = { clock, limitMs, late, signal: this.#stop.signal, keepAlive: false };
    return (await withinLimit(Promise.resolve(answer), limit)) === true;
  }
}
