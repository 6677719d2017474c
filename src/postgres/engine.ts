import type {
  BatchItemResult,
  CallOptions,
  LeaseLike,
  QueryObserver,
  Shape,
  ShapeResult,
  Statement,
  StatementDescription,
} from '../driver/index.ts';
import { MillpondError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { acquireWithin } from './call-limits.ts';
import { failCall } from './call-settlement.ts';
import type { ConnectionSource } from './clean-source.ts';
import { openSocket } from './client.ts';
import { PostgresConnection, type ConnectionHome } from './connection.ts';
import { serverLimitMs, setupText } from './connection-setup.ts';
import { Descriptions } from './description.ts';
import { PostgresLink } from './link.ts';
import {
  createBatchCall,
  createCall,
  createScriptCall,
  startCall,
  type CallPlace,
  type PendingCall,
} from './pending-call.ts';
import { PlanCache } from './plan.ts';
import { RowShapes } from './row-shape.ts';
import type { ConnectionRole, PostgresSettings } from './settings.ts';

export interface PostgresEngineParts {
  readonly settings: PostgresSettings;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
}

/** The leases that statements outside transactions run on. */
export interface PostgresSources {
  readonly connections: ConnectionSource;
}

/** Connections have numbers of their own, whatever server they are to. */
let lastConnectionId = 0;

/**
 * One PostgreSQL server: makes connections for the pools, and places every statement outside a transaction.
 */
export class PostgresEngine {
  readonly dialect = 'postgres';
  readonly #settings: PostgresSettings;
  readonly #observer: QueryObserver;
  readonly #shapes = new RowShapes();
  readonly #plans: PlanCache;
  readonly #descriptions: Descriptions;
  readonly #home: ConnectionHome;
  readonly #place: CallPlace;
  #sources!: PostgresSources;
  #underWay = 0;

  constructor({ settings, observer }: PostgresEngineParts) {
    this.#settings = settings;
    this.#observer = observer;
    this.#plans = new PlanCache(settings.preparedStatements && !settings.throughPooler);
    this.#home = this.#createHome();
    this.#descriptions = new Descriptions({
      borrow: (work) => this.#onConnection('describe', work),
      planOf: (text) => this.#plans.get(text),
    });
    this.#place = {
      placement: 'connection',
      transactionId: undefined,
      queryTimeoutMs: settings.queryTimeoutMs,
      serverLimitMs: serverLimitMs(settings),
      observer,
    };
  }

  /** Opens a connection for a pool. @throws ConnectionError */
  async connect(role: ConnectionRole, signal: AbortSignal): Promise<PostgresConnection> {
    const setup = setupText(this.#settings, role);
    const socket = await openSocket(this.#settings, setup, signal);
    lastConnectionId += 1;
    const link = new PostgresLink(lastConnectionId, socket, this.#settings.statementCacheSize);
    return new PostgresConnection(link, this.#home, setup);
  }

  start(sources: PostgresSources): void {
    this.#sources = sources;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#begin(() => {
      const plan = this.#plans.get(statement.text);
      return createCall({ form: shape, statement, plan }, options, this.#place);
    });
  }

  async batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (statements.length === 0) return [];
    return this.#begin(() => {
      const plans = statements.map(({ text }) => this.#plans.get(text));
      return createBatchCall(statements, plans, { options, place: this.#place });
    });
  }

  async script(text: string, options: CallOptions): Promise<void> {
    return this.#begin(() => createScriptCall(text, this.#plans.get(text), options, this.#place));
  }

  async *stream(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    const { name, signal, timeoutMs = this.#settings.queryTimeoutMs } = options;
    const plan = this.#plans.get(statement.text);
    const limits = { name, signal, timeoutMs, startedAt: performance.now(), mayWrite: plan.mayWrite };
    const lease = await acquireWithin(this.#sources.connections, limits, name ?? 'stream');
    const release = () => giveBack(lease);
    try {
      // A consumer that went away without a word would keep the lease: the stream itself gives it back.
      yield* lease.resource.rows(statement, options, release);
      return undefined;
    } finally {
      release();
    }
  }

  describe(text: string): Promise<StatementDescription> {
    return this.#descriptions.get(text);
  }

  /** Accepted and not answered. */
  pendingCalls(): number {
    return this.#underWay;
  }

  stats(): Record<string, number | string | boolean> {
    return {};
  }

  #begin<T>(create: () => PendingCall): Promise<T> {
    try {
      const call = create();
      return startCall(call, (started) => void this.#runAlone(started));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** On a connection of its own, from the pool. */
  async #runAlone(call: PendingCall): Promise<void> {
    this.#underWay += 1;
    const over = (lease?: LeaseLike<PostgresConnection>) => {
      this.#underWay -= 1;
      if (lease !== undefined) giveBack(lease);
    };
    const ready = call.signal?.aborted === true ? undefined : this.#sources.connections.tryAcquire();
    if (ready !== undefined) return ready.resource.send(call, () => over(ready));
    try {
      const lease = await acquireWithin(this.#sources.connections, call, call.name ?? call.text.slice(0, 60));
      lease.resource.send(call, () => over(lease));
    } catch (error) {
      over();
      failCall(call, error);
    }
  }

  async #onConnection<T>(holder: string, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const lease = await this.#sources.connections.acquire({ holder });
    try {
      return await work(lease.resource);
    } finally {
      giveBack(lease);
    }
  }

  #createHome(): ConnectionHome {
    const { queryTimeoutMs, cancelGraceMs, streamIdleTimeoutMs } = this.#settings;
    return {
      shapes: this.#shapes,
      observer: this.#observer,
      cancelGraceMs,
      queryTimeoutMs,
      streamIdleTimeoutMs,
      serverLimitMs: serverLimitMs(this.#settings),
      planOf: (text) => this.#plans.get(text),
      noteDone: () => undefined,
      isCommitted: (transactionId) => this.#isCommitted(transactionId),
    };
  }

  /** Asks on another connection what became of a transaction whose COMMIT was not answered. */
  async #isCommitted(transactionId: string): Promise<boolean | undefined> {
    try {
      const statement = { text: 'select pg_xact_status($1::xid8)', params: [transactionId] };
      const status = await this.#onConnection('commit outcome', (connection) =>
        connection.execute('value', statement, { timeoutMs: OUTCOME_TIMEOUT_MS }),
      );
      if (status === 'committed') return true;
      return status === 'aborted' ? false : undefined;
    } catch (error) {
      // The server cannot be asked: the outcome stays unknown.
      if (error instanceof MillpondError) return undefined;
      throw error;
    }
  }
}

/** For the question what became of a COMMIT. */
const OUTCOME_TIMEOUT_MS = 2_000;

function giveBack(lease: LeaseLike<PostgresConnection>): void {
  lease.release(lease.resource.usable ? 'reuse' : 'discard');
}
