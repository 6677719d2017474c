import type {
  CallContext,
  CallOptions,
  ObservedStatement,
  QueryObserver,
  Shape,
  Statement,
} from '../driver/index.ts';
import { ConnectionError, ConnectionPoolExhaustedError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { isBusy } from './failure.ts';
import { InlineReader } from './inline-reader.ts';
import { toBindable } from './parameters.ts';
import type { Plan } from './plan.ts';
import type { RowShape } from './row-builder.ts';
import type { ConnectionSettings } from './settings.ts';
import type { PreparedStatement } from './statement-store.ts';
import { TurnBudget } from './turn-budget.ts';

/** A read that may run on the calling thread. */
export interface InlineRead {
  readonly shape: Shape;
  readonly statement: Statement;
  readonly options: CallOptions;
  readonly plan: Plan;
}

export interface InlineReadsParts {
  readonly budgetMs: number;
  readonly maxWaiting: number;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
  /** Runs a read that cannot run here now. */
  runElsewhere(read: InlineRead): Promise<unknown>;
  /** The public error of what the connection threw. */
  toError(error: unknown, read: InlineRead): unknown;
}

/** When a read was asked for, when it came to its turn, and where to report its end. */
interface Start {
  readonly startedAt: number;
  readonly beganAt: number;
  readonly context: CallContext | undefined;
}

/** JSON is always made in a worker, and the result of `run` is for writes. */
export function mayRunInline(shape: Shape, { inline, cost }: Plan): boolean {
  return inline !== undefined && cost.weight === 'cheap' && shape !== 'json' && shape !== 'run';
}

/** Reads on the calling thread, within the budget of each turn of the event loop. */
export class InlineReads {
  /** How many ran here. */
  count = 0;
  readonly #parts: InlineReadsParts;
  readonly #budget: TurnBudget;
  #reader: InlineReader | undefined;

  constructor(parts: InlineReadsParts) {
    this.#parts = parts;
    this.#budget = new TurnBudget(parts.budgetMs);
  }

  /** Reads that wait for the next turn. */
  get waiting(): number {
    return this.#budget.waiting;
  }

  open(settings: ConnectionSettings, findShape: (columns: readonly string[]) => RowShape): void {
    this.#reader = new InlineReader(settings, findShape);
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  /** @returns undefined where there is no connection on this thread. @throws its error */
  prepare(text: string): PreparedStatement | undefined {
    return this.#reader?.prepare(text);
  }

  /** See {@link InlineReader.refreshSchema}. True where no connection of this thread can tell. */
  refreshSchema(): boolean {
    return this.#reader?.refreshSchema() ?? true;
  }

  execute(read: InlineRead): Promise<unknown> {
    const startedAt = performance.now();
    const { statement, options } = read;
    const { observer } = this.#parts;
    observer.started(statement.text, options.name, undefined);
    if (this.#budget.hasRoom(startedAt))
      return this.#run(read, { startedAt, beganAt: startedAt, context: undefined });
    if (this.#budget.waiting >= this.#parts.maxWaiting) {
      const message = `The line for inline reads is full: ${this.#budget.waiting} calls are waiting.`;
      return Promise.reject(new ConnectionPoolExhaustedError(message));
    }
    const context = observer.capture();
    return new Promise((resolve, reject) => {
      this.#budget.wait(() => {
        if (read.options.signal?.aborted === true) return reject(read.options.signal.reason as unknown);
        this.#run(read, { startedAt, beganAt: performance.now(), context }).then(resolve, reject);
      });
    });
  }

  #run(read: InlineRead, start: Start): Promise<unknown> {
    try {
      if (this.#reader === undefined) throw closedError();
      const params = toBindable(read.statement.params);
      const result = this.#reader.read(read.plan.inline!, read.shape as 'all', params);
      this.#note(read, start, countRows(read.shape, result));
      return Promise.resolve(result);
    } catch (error) {
      // The inline connection never waits for a lock: a worker does.
      if (isBusy(error)) return this.#parts.runElsewhere(read);
      return Promise.reject(this.#parts.toError(error, read));
    }
  }

  #note(
    { statement, options, plan }: InlineRead,
    { startedAt, beganAt, context }: Start,
    rows: number,
  ): void {
    this.count += 1;
    const endedAt = performance.now();
    const ranMs = endedAt - beganAt;
    const { announce, observer, budgetMs } = this.#parts;
    const { text, params } = statement;
    if (plan.cost.recordInline(ranMs * 1000, rows) && ranMs > budgetMs) {
      announce.emit('sqlite:inline-overrun', { sql: text, durationMs: ranMs, budgetMs });
    }
    const durationMs = endedAt - startedAt;
    if (!observer.record(durationMs, rows)) return;
    // One literal: spreads of parts cost a fifth of all that listeners cost.
    const ended: ObservedStatement = {
      text,
      name: options.name,
      params,
      placement: 'inline',
      connectionId: undefined,
      transactionId: undefined,
      durationMs,
      waitedMs: beganAt - startedAt,
      ranMs,
      tables: plan.tables,
      context,
    };
    observer.succeeded(ended, rows);
  }
}

function countRows(shape: Shape, result: unknown): number {
  if (shape === 'all' || shape === 'arrays') return (result as unknown[]).length;
  return result === undefined ? 0 : 1;
}

function closedError(): ConnectionError {
  return new ConnectionError('The database is closed.', { code: 'ERR_MILLPOND_CLOSED' });
}
