import { open } from 'node:fs/promises';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Random } from './random.ts';

/** One row of the table that the reading works read; a function of its id alone, so that answers can be checked. */
export interface Item {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly age: number;
  readonly score: number;
  readonly createdAt: number;
}

/** One row for the inserting works. */
export interface NewEvent {
  readonly itemId: number;
  readonly kind: string;
  readonly payload: string;
  readonly at: number;
}

export type SeedName = 'none' | 'items' | 'million items';

export const ACCOUNT_COUNT = 1_000;
export const ITEM_COUNT: Readonly<Record<SeedName, number>> = {
  none: 0,
  items: 100_000,
  'million items': 1_000_000,
};

const GIVEN_NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Margaret', 'Alan', 'Radia'];
const KINDS = ['created', 'viewed', 'changed', 'removed'];
const PAYLOADS = Array.from({ length: 64 }, (_, index) => `payload ${index} `.padEnd(60, 'abcdefghij'));

export function itemOf(id: number): Item {
  const random = new Random(id);
  const name = `${GIVEN_NAMES[random.below(GIVEN_NAMES.length)]} of house ${random.below(10_000)}`;
  return {
    id,
    name,
    email: `user.${id}.${random.below(1_000)}@example.com`,
    age: 18 + random.below(70),
    // Quarters are exact in binary: no driver may print them differently.
    score: random.below(40_000) / 4,
    createdAt: 1_700_000_000_000 + random.below(1_000_000_000),
  };
}

export function eventOf(random: Random): NewEvent {
  return {
    itemId: 1 + random.below(100_000),
    kind: KINDS[random.below(KINDS.length)]!,
    payload: PAYLOADS[random.below(PAYLOADS.length)]!,
    at: 1_700_000_000_000 + random.below(1_000_000_000),
  };
}

const SCHEMA = `
  create table items (id integer primary key, name text not null, email text not null, age integer not null,
    score real not null, created_at integer not null);
  create table accounts (id integer primary key, balance integer not null);
  create table events (id integer primary key, item_id integer not null, kind text not null, payload text not null,
    at integer not null);
  create table numbers (n integer primary key);`;

/** The database files that cells start from: written once per seed, copied for every cell. */
export class Seeds {
  readonly #directory: string;
  readonly #templates = new Map<SeedName, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The seed's own file; only to be read. */
  template(seed: SeedName): string {
    const known = this.#templates.get(seed);
    if (known !== undefined) return known;
    const file = join(this.#directory, `${seed.replaceAll(' ', '-')}.db`);
    writeSeed(file, ITEM_COUNT[seed]);
    this.#templates.set(seed, file);
    return file;
  }

  /** A copy that is on disk before the cell begins: else the cell's first fsync would have to write it. */
  async freshCopy(seed: SeedName): Promise<string> {
    const template = this.template(seed);
    const file = join(this.#directory, 'cell.db');
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    copyFileSync(template, file);
    const handle = await open(file, 'r+');
    await handle.sync();
    await handle.close();
    return file;
  }
}

function writeSeed(file: string, items: number): void {
  const db = new DatabaseSync(file);
  db.exec('pragma page_size = 4096; pragma journal_mode = wal; pragma synchronous = off;');
  db.exec(`begin; ${SCHEMA}`);
  const insertItem = db.prepare('insert into items values (?, ?, ?, ?, ?, ?)');
  for (let id = 1; id <= items; id++) {
    const { name, email, age, score, createdAt } = itemOf(id);
    insertItem.run(BigInt(id), name, email, BigInt(age), score, BigInt(createdAt));
  }
  insertNumbers(db, 'insert into accounts values (?, 0)', ACCOUNT_COUNT);
  insertNumbers(db, 'insert into numbers values (?)', 10_000);
  db.exec('commit');
  db.close();
}

function insertNumbers(db: DatabaseSync, text: string, upTo: number): void {
  const insert = db.prepare(text);
  for (let n = 1; n <= upTo; n++) insert.run(BigInt(n));
}
