import type { Trace } from './trace.ts';

export interface WaiterDetails {
  readonly holder: string;
  readonly trace: Trace | undefined;
  readonly signal: AbortSignal | undefined;
  readonly sinceMs: number;
  readonly timeoutMs: number;
}

/**
 * Somebody who waits for a `Given`. It leaves the line exactly once, by being served, by its deadline, by its
 * signal or by the pool's close, and whoever takes it out settles it: so nothing can be given to one who has
 * already left.
 */
export class Waiter<Given> {
  readonly resolve: (given: Given) => void;
  readonly reject: (reason: unknown) => void;
  readonly details: WaiterDetails;
  readonly deadlineMs: number;
  line: WaitingLine<Given> | undefined;
  previous: Waiter<Given> | undefined;
  next: Waiter<Given> | undefined;

  constructor(
    settle: { readonly resolve: (given: Given) => void; readonly reject: (reason: unknown) => void },
    details: WaiterDetails,
  ) {
    this.resolve = settle.resolve;
    this.reject = settle.reject;
    this.details = details;
    this.deadlineMs = details.sinceMs + details.timeoutMs;
  }

  /** The waiter itself is the signal's listener, which spares a closure for each. */
  handleEvent(): void {
    if (this.line?.remove(this)) this.reject(this.details.signal?.reason);
  }
}

/** First come, first served. Joining, leaving and serving cost the same however long the line is. */
export class WaitingLine<Given> {
  #first: Waiter<Given> | undefined;
  #last: Waiter<Given> | undefined;
  #length = 0;
  readonly #onEmpty: () => void;

  /** `onEmpty` is called when the last in line has left. */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  get length(): number {
    return this.#length;
  }

  /** When the next one gives up. Looks at all of them: callers may have deadlines in any order. */
  get nextDeadlineMs(): number {
    let earliestMs = Infinity;
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (waiter.deadlineMs < earliestMs) earliestMs = waiter.deadlineMs;
    }
    return earliestMs;
  }

  push(waiter: Waiter<Given>): void {
    waiter.line = this;
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#length += 1;
    waiter.details.signal?.addEventListener('abort', waiter);
  }

  /** Takes the longest waiter out. */
  shift(): Waiter<Given> | undefined {
    const waiter = this.#first;
    if (waiter !== undefined) this.remove(waiter);
    return waiter;
  }

  /** @returns false when it had left already. */
  remove(waiter: Waiter<Given>): boolean {
    if (waiter.line !== this) return false;
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.line = undefined;
    waiter.previous = undefined;
    waiter.next = undefined;
    this.#length -= 1;
    waiter.details.signal?.removeEventListener('abort', waiter);
    if (this.#length === 0) this.#onEmpty();
    return true;
  }

  /** Those whose deadline has come, longest waiter first. They stay in line until removed. */
  due(nowMs: number): Waiter<Given>[] {
    const due: Waiter<Given>[] = [];
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (waiter.deadlineMs <= nowMs) due.push(waiter);
    }
    return due;
  }

  /** Takes everybody out. */
  clear(): Waiter<Given>[] {
    const all: Waiter<Given>[] = [];
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) all.push(waiter);
    return all;
  }
}
