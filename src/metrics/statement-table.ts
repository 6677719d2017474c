import type { Dialect } from '../sql/index.ts';
import { BoundedTable, OTHER } from './bounded-table.ts';
import { fingerprintOf } from './fingerprint.ts';
import { StatementRecord, type StatementSnapshot } from './statement-record.ts';

/** Texts whose record is remembered, half of them freshly used: reading one again costs microseconds. */
const MOST_TEXTS = 1_000;
/** Longer ones are read again each time: many of them would fill memory. */
const LONGEST_KEPT = 8_192;
const LONGEST_NAME = 200;

/** The statements of one database, by name where they have one and by shape where not. */
export class StatementTable {
  readonly #dialect: Dialect;
  readonly #records: BoundedTable<StatementRecord>;
  #young = new Map<string, StatementRecord>();
  #old = new Map<string, StatementRecord>();
  /** What was asked for last: mostly, what ends is what began last. */
  #lastText: string | undefined;
  #lastName: string | undefined;
  #last: StatementRecord | undefined;

  constructor(dialect: Dialect, maxStatements: number) {
    this.#dialect = dialect;
    this.#records = new BoundedTable(maxStatements);
  }

  get size(): number {
    return this.#records.size;
  }

  of(sql: string, name: string | undefined): StatementRecord {
    if (this.#last !== undefined && sql === this.#lastText && name === this.#lastName) return this.#last;
    [this.#lastText, this.#lastName] = [sql, name];
    return (this.#last = name === undefined ? this.#byText(sql) : this.#byName(sql, name));
  }

  find(id: string): StatementRecord | undefined {
    return this.#records.all().find((record) => record.id === id);
  }

  records(): StatementRecord[] {
    return this.#records.all();
  }

  snapshot(database: string): StatementSnapshot[] {
    return this.#records.all().map((record) => record.snapshot(database));
  }

  clear(): void {
    this.#records.clear();
    this.#young.clear();
    this.#old.clear();
    this.#last = undefined;
  }

  #byName(sql: string, given: string): StatementRecord {
    const name = given.slice(0, LONGEST_NAME);
    const key = `name:${name}`;
    return this.#records.find(key) ?? this.#records.of(key, (made) => this.#create(made, sql, name));
  }

  #byText(sql: string): StatementRecord {
    const known = this.#young.get(sql) ?? this.#old.get(sql);
    if (known !== undefined) return known;
    const { id } = fingerprintOf(sql, this.#dialect);
    const record = this.#records.of(id, (key) => this.#create(key, sql));
    if (sql.length <= LONGEST_KEPT) this.#remember(sql, record);
    return record;
  }

  #remember(sql: string, record: StatementRecord): void {
    if (this.#young.size >= MOST_TEXTS / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(sql, record);
  }

  #create(key: string, sql: string, name?: string): StatementRecord {
    if (key === OTHER) return new StatementRecord({ id: OTHER, text: '(all other statements)' });
    const fingerprint = fingerprintOf(sql, this.#dialect);
    // Queries of different names may be one shape, and pages address each by its id.
    const id = name === undefined ? fingerprint.id : fingerprintOf(`"${name}" ${sql}`, this.#dialect).id;
    const sample = sql.length <= LONGEST_KEPT ? sql : undefined;
    return new StatementRecord({ id, text: fingerprint.text }, { name, sample });
  }
}
