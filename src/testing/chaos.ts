import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/index.ts';
import type { Queryable } from '../driver/index.ts';
import {
  ConnectionError,
  ConnectionPoolExhaustedError,
  OutcomeUnknownError,
  UsageError,
} from '../errors/index.ts';

/** How often a call meets a fault: each is a share of the calls, from 0 to 1. */
export interface ChaosOptions {
  /** The same seed gives the same faults to the same calls in the same order. @default random */
  readonly seed?: number | undefined;
  /** Refused before anything is sent, as by a full pool: ConnectionPoolExhaustedError. @default 0.1 */
  readonly refuse?: number | undefined;
  /** Lost before anything is sent: ConnectionError, which is `retryable`. @default 0.1 */
  readonly lose?: number | undefined;
  /**
   * Done, and answered with OutcomeUnknownError: of `run`, `batch`, `script` and `transaction`, outside of
   * transactions. @default 0.05
   */
  readonly forget?: number | undefined;
  /** Late by up to `maxDelayMs`. @default 0.1 */
  readonly delay?: number | undefined;
  /** In milliseconds. @default 20 */
  readonly maxDelayMs?: number | undefined;
}

/** The fault that a call met. */
export type ChaosFault = 'refuse' | 'lose' | 'forget' | 'delay';

/** Calls and transactions of a database, some of which fail. */
export type ChaosDatabase = Queryable &
  Pick<Database, 'transaction'> & {
    readonly seed: number;
    /** How many calls have met each fault so far. */
    readonly faults: Readonly<Record<ChaosFault, number>>;
  };

type Call = (...given: never[]) => Promise<unknown>;

const DEFAULTS = { refuse: 0.1, lose: 0.1, forget: 0.05, delay: 0.1, maxDelayMs: 20 };
const PARTS = ['refuse', 'lose', 'forget', 'delay'] as const satisfies readonly ChaosFault[];
const SEEDS = 2 ** 32;

/**
 * The database with faults, for tests of what a program does then: calls are refused, lost, late, or done and
 * never answered, as the errors say. The database itself is not affected, and is yours to close. @throws
 * UsageError for a share that is not from 0 to 1
 */
export function chaos(db: Database, options: ChaosOptions = {}): ChaosDatabase {
  const weather = new Weather(options);
  const read = <Method extends Call>(call: Method): Method =>
    ((...given) => weather.around(() => call(...given), false)) as Method;
  const write = <Method extends Call>(call: Method): Method =>
    ((...given) => weather.around(() => call(...given), db.currentTransaction === undefined)) as Method;
  const open = db.stream.bind(db) as (...given: never[]) => AsyncIterableIterator<unknown>;
  const stream = (...given: never[]): AsyncIterableIterator<unknown> => weather.before(open(...given));
  return {
    seed: weather.seed,
    faults: weather.faults,
    all: read(db.all.bind(db)),
    arrays: read(db.arrays.bind(db)),
    get: read(db.get.bind(db)),
    value: read(db.value.bind(db)),
    json: read(db.json.bind(db)),
    run: write(db.run.bind(db)),
    batch: write(db.batch.bind(db)),
    script: write(db.script.bind(db)),
    transaction: write(db.transaction.bind(db)),
    stream: stream as Queryable['stream'],
  };
}

/** Decides what a call meets, by the numbers of its seed. */
class Weather {
  readonly seed: number;
  readonly faults: Record<ChaosFault, number> = { refuse: 0, lose: 0, forget: 0, delay: 0 };
  readonly #parts: typeof DEFAULTS;
  #state: number;

  constructor({ seed = Math.floor(Math.random() * SEEDS), ...given }: ChaosOptions) {
    const said = Object.entries(given).filter(([, value]) => value !== undefined);
    this.#parts = { ...DEFAULTS, ...(Object.fromEntries(said) as Partial<typeof DEFAULTS>) };
    const wrong = PARTS.find((part) => !(this.#parts[part] >= 0 && this.#parts[part] <= 1));
    if (wrong !== undefined) throw new UsageError(`${wrong} is a part of the calls: from 0 to 1.`);
    this.seed = seed;
    this.#state = seed;
  }

  async around<T>(call: () => Promise<T>, mayForget: boolean): Promise<T> {
    await this.#meet();
    const forgets = mayForget && this.#strikes('forget');
    const result = await call();
    if (forgets) throw new OutcomeUnknownError('Chaos: this was done, and its answer was lost.');
    return result;
  }

  async *before<Row>(rows: AsyncIterableIterator<Row>): AsyncGenerator<Row, undefined> {
    await this.#meet();
    yield* rows;
    return undefined;
  }

  async #meet(): Promise<void> {
    if (this.#strikes('delay')) await sleep(this.#next() * this.#parts.maxDelayMs);
    if (this.#strikes('refuse')) throw new ConnectionPoolExhaustedError('Chaos: no connection came free.');
    if (this.#strikes('lose')) {
      throw new ConnectionError('Chaos: the connection was lost; nothing was sent.', { retryable: true });
    }
  }

  #strikes(fault: ChaosFault): boolean {
    const strikes = this.#next() < this.#parts[fault];
    if (strikes) this.faults[fault] += 1;
    return strikes;
  }

  /** 0 to 1; Mulberry32, which is enough for dice. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / SEEDS;
  }
}
