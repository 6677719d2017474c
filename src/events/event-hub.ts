import { channel, type Channel } from 'node:diagnostics_channel';
import { EVENT_NAMES, type EventMap, type EventName, type EventOf, type Listener } from './event-map.ts';

type AnyListener = (event: never) => void;

/** The subscribers of one event. */
interface Topic {
  /** Another list after each change: one that is being walked stays as it is. */
  listeners: readonly AnyListener[];
  readonly channel: Channel;
}

/** What code that works needs of events: it announces and never learns who listens. */
export interface Announcer {
  /** True when somebody would receive the event. Ask before building one on a hot path. */
  has(name: EventName): boolean;
  /** The event is given away: it gets the name of its database, in place. */
  emit<Name extends EventName>(name: Name, event: EventMap[Name]): void;
}

/**
 * The events of one database: to its listeners and to `node:diagnostics_channel` as `millpond:<name>`. A
 * listener that throws, or returns a promise that rejects, breaks neither the caller nor the other listeners:
 * its error goes to `onListenerError`.
 */
export class EventHub implements Announcer {
  readonly #database: string;
  readonly #onListenerError: (error: unknown, name: EventName) => void;
  readonly #topics = new Map<EventName, Topic>();

  constructor(database: string, onListenerError: (error: unknown, name: EventName) => void) {
    this.#database = database;
    this.#onListenerError = onListenerError;
    for (const name of EVENT_NAMES) {
      this.#topics.set(name, { listeners: [], channel: channel(`millpond:${name}`) });
    }
  }

  /** @returns a function that takes the listener off again. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const topic = this.#topics.get(name)!;
    if (!topic.listeners.includes(listener)) topic.listeners = [...topic.listeners, listener];
    return () => this.off(name, listener);
  }

  off<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    const topic = this.#topics.get(name);
    if (topic !== undefined) topic.listeners = topic.listeners.filter((one) => one !== listener);
  }

  has(name: EventName): boolean {
    const topic = this.#topics.get(name)!;
    return topic.listeners.length > 0 || topic.channel.hasSubscribers;
  }

  emit<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    const topic = this.#topics.get(name)!;
    const { listeners } = topic;
    if (listeners.length === 0 && !topic.channel.hasSubscribers) return;
    // Not copied: a copy of each event costs a statement more than listening does.
    const full: EventMap[Name] & { database?: string } = event;
    full.database = this.#database;
    for (const listener of listeners) {
      const isOff = topic.listeners !== listeners && !topic.listeners.includes(listener);
      if (!isOff) this.#deliver(name, listener as Listener<Name>, full as EventOf<Name>);
    }
    // diagnostics_channel itself reports a subscriber's exception, as an uncaught one.
    topic.channel.publish(full);
  }

  #deliver<Name extends EventName>(name: Name, listener: Listener<Name>, event: EventOf<Name>): void {
    try {
      const result: unknown = listener(event);
      // An async listener's type is assignable to a void one: its rejection would otherwise end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.#onListenerError(error, name));
    } catch (error) {
      this.#onListenerError(error, name);
    }
  }
}
