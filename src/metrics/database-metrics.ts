import type { EventName, EventOf, Listener } from '../events/index.ts';
import { DurationHistogram } from './duration-histogram.ts';
import type { NPlusOneDetector, NPlusOneSuspect } from './n-plus-one.ts';
import type { ObservedDatabase, ObservedStats } from './observed-database.ts';
import { RecentEvents, type RecentSnapshot } from './recent-events.ts';
import type { MeasuredRequest } from './request.ts';
import type { StatementRecord, StatementSnapshot } from './statement-record.ts';
import { StatementTable } from './statement-table.ts';
import { TransactionWatch, type RunningTransaction } from './transaction-watch.ts';

/** Everything known about one database. */
export interface DatabaseSnapshot extends RecentSnapshot {
  readonly name: string;
  readonly dialect: string;
  /** What the last health check said; true before the first. */
  readonly isUp: boolean;
  readonly stats: ObservedStats;
  /** In no order. Their counts add up to all statements that ended since watching began. */
  readonly statements: readonly StatementSnapshot[];
  readonly runningTransactions: readonly RunningTransaction[];
}

export interface DatabaseMetricsParts {
  readonly database: ObservedDatabase;
  readonly maxStatements: number;
  readonly maxRecent: number;
  readonly detector: NPlusOneDetector;
  now(): number;
  /** The request of the running async flow. */
  currentRequest(): MeasuredRequest | undefined;
  onSuspect(suspect: NPlusOneSuspect): void;
}

/** With fewer rows than this, a statement is not a list that others are fetched for. */
const LEAST_PARENT_ROWS = 2;

/** Listens to one database and counts. */
export class DatabaseMetrics {
  readonly #parts: DatabaseMetricsParts;
  readonly #statements: StatementTable;
  readonly #recent: RecentEvents;
  readonly #transactions: TransactionWatch;
  readonly #stops: (() => void)[] = [];
  /** Of all statements, since watching began: a reset leaves it, so that differences stay true. */
  readonly durations: DurationHistogram = new DurationHistogram();
  readonly transactionDurations: DurationHistogram = new DurationHistogram();

  /** For the detector. */
  readonly #where: { readonly database: string; readonly now: () => number };
  #isUp = true;
  #suspects = 0;
  #leaks = 0;

  constructor(parts: DatabaseMetricsParts) {
    this.#parts = parts;
    this.#where = { database: parts.database.name, now: () => parts.now() };
    this.#statements = new StatementTable(parts.database.dialect, parts.maxStatements);
    this.#recent = new RecentEvents(parts.maxRecent);
    this.#transactions = new TransactionWatch(() => parts.now());
    this.#listen();
  }

  get database(): ObservedDatabase {
    return this.#parts.database;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** N+1 suspects since watching began. */
  get suspects(): number {
    return this.#suspects;
  }

  /** Leases reported as leaked since watching began. */
  get leaks(): number {
    return this.#leaks;
  }

  get oldestTransactionMs(): number {
    return this.#transactions.running()[0]?.ageMs ?? 0;
  }

  statements(): StatementRecord[] {
    return this.#statements.records();
  }

  findStatement(id: string): StatementRecord | undefined {
    return this.#statements.find(id);
  }

  snapshot(): DatabaseSnapshot {
    const { name, dialect } = this.database;
    return {
      name,
      dialect,
      isUp: this.#isUp,
      stats: this.database.stats(),
      statements: this.#statements.snapshot(name),
      runningTransactions: this.#transactions.running(),
      ...this.#recent.snapshot(),
    };
  }

  /** Forgets what was counted here; the database's own counters go on. */
  reset(): void {
    this.#statements.clear();
    this.#recent.clear();
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #on<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#stops.push(this.database.on(name, listener));
  }

  #listen(): void {
    this.#on('query:start', (event) => this.#began(event));
    this.#on('query:end', (event) => this.#ended(event, event.rows, false));
    this.#on('query:error', (event) => this.#failed(event));
    this.#on('query:slow', (event) => this.#wasSlow(event));
    this.#on('transaction:start', (event) => this.#transactions.began(event));
    this.#on('transaction:commit', (event) => this.#transactionEnded(event));
    this.#on('transaction:rollback', (event) => this.#transactionEnded(event));
    this.#on('transaction:unknown', (event) => this.#transactionEnded(event));
    this.#on('transaction:held-too-long', (event) => this.#transactions.heldTooLong(event));
    this.#on('health:up', () => void (this.#isUp = true));
    this.#on('health:down', () => void (this.#isUp = false));
    this.#on('pool:leak', () => void (this.#leaks += 1));
    this.#stops.push(this.#recent.listenTo(this.database));
  }

  #began({ sql, name, transactionId }: EventOf<'query:start'>): void {
    if (transactionId !== undefined) this.#transactions.ran(transactionId);
    const request = this.#parts.currentRequest();
    if (request === undefined) return;
    const record = this.#statements.of(sql, name);
    const suspect = this.#parts.detector.began(request, record, this.#where);
    if (suspect === undefined) return;
    this.#suspects += 1;
    this.#parts.onSuspect(suspect);
  }

  #ended(
    event: EventOf<'query:end'> | EventOf<'query:error'>,
    rows: number,
    failed: boolean,
  ): StatementRecord {
    const record = this.#statements.of(event.sql, event.name);
    this.durations.record(event.durationMs);
    record.ended(event, failed);
    const request = this.#parts.currentRequest();
    if (request !== undefined) {
      request.queryEnded(event.durationMs, rows, failed);
      if (rows >= LEAST_PARENT_ROWS) request.parent = { text: record.text, rows };
    }
    return record;
  }

  #failed(event: EventOf<'query:error'>): void {
    this.#recent.failed(event, this.#ended(event, 0, true));
  }

  #wasSlow(event: EventOf<'query:slow'>): void {
    const record = this.#statements.of(event.sql, event.name);
    record.wasSlow();
    this.#recent.slow(event, record);
  }

  #transactionEnded(event: { readonly transactionId: number; readonly durationMs: number }): void {
    this.transactionDurations.record(event.durationMs);
    this.#transactions.ended(event.transactionId);
  }
}
