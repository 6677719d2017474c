import { Line } from '../async/index.ts';
import { limitWaiting, type CallLimits } from '../driver/index.ts';

/** A call in line. */
export interface QueuedCall extends CallLimits {
  reject(error: unknown): void;
}

interface Place<Call> {
  readonly call: Call;
  /** Lifts the limits of its wait. */
  lift: () => void;
}

/**
 * Calls in line for a connection, in order. One whose time is over, or whose signal aborts, leaves it by
 * itself.
 */
export class CallQueue<Call extends QueuedCall> {
  readonly #places = new Line<Place<Call>>();

  get length(): number {
    return this.#places.length;
  }

  push(call: Call): void {
    if (call.signal?.aborted === true) return call.reject(call.signal.reason);
    const place: Place<Call> = { call, lift: () => undefined };
    place.lift = limitWaiting(call, (error) => {
      if (this.#places.remove(place)) call.reject(error);
    });
    this.#places.push(place);
  }

  /** The longest waiting call, whose turn has come. */
  shift(): Call | undefined {
    const place = this.#places.shift();
    place?.lift();
    return place?.call;
  }

  rejectIf(matches: (call: Call) => boolean, toError: () => unknown): void {
    for (const place of this.#places) {
      if (!matches(place.call) || !this.#places.remove(place)) continue;
      place.lift();
      place.call.reject(toError());
    }
  }

  rejectAll(error: unknown): void {
    for (let call = this.shift(); call !== undefined; call = this.shift()) call.reject(error);
  }
}
