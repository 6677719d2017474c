import type { EventName, EventOf, Listener } from '../events/index.ts';
import type { ObservedDatabase } from './observed-database.ts';
import { Recent } from './recent.ts';
import type { StatementRecord } from './statement-record.ts';

/** A statement that failed. */
export interface RecentError {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly database: string;
  readonly statement: string;
  readonly text: string;
  readonly code: string;
  readonly message: string;
}

/** A statement that lasted longer than `slowQueryMs`. */
export interface RecentSlowQuery {
  readonly at: number;
  readonly database: string;
  readonly statement: string;
  readonly text: string;
  readonly durationMs: number;
  readonly waitedMs?: number;
  readonly rows: number;
}

/** A lease that was held for so long that it may have been forgotten. */
export interface RecentLeak {
  readonly at: number;
  readonly database: string;
  readonly pool: string;
  readonly holder: string;
  readonly heldMs: number;
  /** The taker's stack. */
  readonly takenAt: string;
  readonly returned: boolean;
}

/** Something else that somebody should look at. */
export interface RecentNotice {
  readonly at: number;
  readonly database: string;
  readonly event: string;
  readonly message: string;
}

/** The newest first, of each kind. */
export interface RecentSnapshot {
  readonly errors: readonly RecentError[];
  readonly slowQueries: readonly RecentSlowQuery[];
  readonly leaks: readonly RecentLeak[];
  readonly notices: readonly RecentNotice[];
}

const LONGEST_MESSAGE = 500;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** What is said of each event that is a notice. */
const NOTICES: { readonly [Name in EventName]?: (event: EventOf<Name>) => string } = {
  'connection:error': ({ role, error }) => `A ${role} failed: ${error.message}`,
  'pool:exhausted': ({ error }) => error.message,
  'pool:slow-acquire': ({ pool, waitedMs }) => `Waited ${seconds(waitedMs)} for a connection of "${pool}".`,
  'transaction:unknown': ({ transactionId }) => `The outcome of transaction ${transactionId} is unknown.`,
  'transaction:held-too-long': ({ name, heldMs, takenAt }) =>
    `The transaction ${name ?? 'without a name'}, begun at ${takenAt}, is held for ${seconds(heldMs)}.`,
  'health:up': () => 'The database answers again.',
  'health:down': ({ error }) => `The database does not answer: ${error.message}`,
  'sqlite:wal-pinned': ({ holder, walBytes, heldMs }) =>
    `"${holder}" keeps the write-ahead log at ${Math.round(walBytes / 1e6)} MB, for ${seconds(heldMs)}.`,
  'sqlite:inline-overrun': ({ durationMs, budgetMs }) =>
    `An inline read held the event loop for ${Math.round(durationMs)} ms of ${budgetMs}.`,
};

/** The last few errors, slow statements, leaks and notices of one database. */
export class RecentEvents {
  readonly #errors: Recent<RecentError>;
  readonly #slow: Recent<RecentSlowQuery>;
  readonly #leaks: Recent<RecentLeak>;
  readonly #notices: Recent<RecentNotice>;

  constructor(max: number) {
    this.#errors = new Recent(max);
    this.#slow = new Recent(max);
    this.#leaks = new Recent(max);
    this.#notices = new Recent(max);
  }

  /** @returns a function that stops listening */
  listenTo(database: ObservedDatabase): () => void {
    const stops = [
      database.on('pool:leak', (event) => this.#leaked(event, false)),
      database.on('pool:leak-returned', (event) => this.#leaked(event, true)),
    ];
    const listen = <Name extends EventName>(name: Name, say: (event: EventOf<Name>) => string) => {
      const listener: Listener<Name> = (event) => this.#noticed(name, event.database, say(event));
      stops.push(database.on(name, listener));
    };
    for (const name of Object.keys(NOTICES) as EventName[]) {
      listen(name, NOTICES[name] as (event: EventOf<typeof name>) => string);
    }
    return () => stops.forEach((stop) => stop());
  }

  failed({ database, error }: EventOf<'query:error'>, { id, text }: StatementRecord): void {
    const { code = error.name } = error as { readonly code?: unknown };
    this.#errors.add({
      at: Date.now(),
      database,
      statement: id,
      text,
      code: String(code),
      message: error.message.slice(0, LONGEST_MESSAGE),
    });
  }

  slow({ database, durationMs, waitedMs, rows }: EventOf<'query:slow'>, { id, text }: StatementRecord): void {
    const waited = waitedMs === undefined ? {} : { waitedMs };
    this.#slow.add({ at: Date.now(), database, statement: id, text, durationMs, ...waited, rows });
  }

  snapshot(): RecentSnapshot {
    return {
      errors: this.#errors.list(),
      slowQueries: this.#slow.list(),
      leaks: this.#leaks.list(),
      notices: this.#notices.list(),
    };
  }

  clear(): void {
    for (const list of [this.#errors, this.#slow, this.#leaks, this.#notices]) list.clear();
  }

  #leaked({ database, pool, holder, heldMs, takenAt }: EventOf<'pool:leak'>, returned: boolean): void {
    this.#leaks.add({ at: Date.now(), database, pool, holder, heldMs, takenAt, returned });
  }

  #noticed(event: string, database: string, message: string): void {
    this.#notices.add({ at: Date.now(), database, event, message: message.slice(0, LONGEST_MESSAGE) });
  }
}
