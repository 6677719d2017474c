import { channel } from 'node:diagnostics_channel';
import type { NPlusOneSuspect } from './n-plus-one.ts';
import type { RequestUsage } from './request.ts';

/** What metrics announce, to listeners and on `node:diagnostics_channel` as `millpond:<name>`. */
export interface MetricsEvents {
  'query:n-plus-one': NPlusOneSuspect;
  /** A request, or a function under `trackPerformance`, lasted longer than its threshold. */
  'route:slow': { readonly route: string; readonly durationMs: number; readonly thresholdMs: number };
  'route:over-budget': {
    readonly route: string;
    readonly usage: RequestUsage;
    /** A sentence for each limit that was passed. */
    readonly faults: readonly string[];
  };
}

export type MetricsEventName = keyof MetricsEvents;
type AnyListener = (event: never) => void;

/**
 * Tells the listeners; one that throws or rejects does no harm to others, and becomes a warning of the
 * process.
 */
export class Announcements {
  readonly #listeners = new Map<MetricsEventName, Set<AnyListener>>();

  /** @returns a function that removes the listener. */
  on<Name extends MetricsEventName>(name: Name, listener: (event: MetricsEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set<AnyListener>();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<Name extends MetricsEventName>(name: Name, event: MetricsEvents[Name]): void {
    this.tell(name, event);
    channel(`millpond:${name}`).publish(event);
  }

  /** Only the listeners, where somebody else publishes it on the channel. */
  tell<Name extends MetricsEventName>(name: Name, event: MetricsEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const result: unknown = (listener as (given: MetricsEvents[Name]) => void)(event);
        if (result instanceof Promise) result.catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'MillpondMetricsListener');
}
