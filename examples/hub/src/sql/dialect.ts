import type { JobAction } from './jobs.ts';
import { POSTGRES_SQL } from './postgres.ts';
import { SQLITE_SQL } from './sqlite.ts';

export type Dialect = 'sqlite' | 'postgres';

/** All the SQL that is not the same on both engines. Everything else in this folder is. */
export interface DialectSql {
  /** The tables. Indexes come after the load, which is faster that way. */
  readonly tables: string;
  readonly indexes: string;
  /** The largest cities whose name has all `:words`, parted by one space; the last may be unfinished. */
  readonly searchCities: string;
  /** The nearest cities by great-circle distance; an index finds candidates in the box around the circle. */
  readonly citiesNear: string;
  /** Which of the `:among` largest cities have most others within a quarter of a degree. Slow on purpose. */
  readonly crowdedPlaces: string;
  /** Jobs that are due and that nobody works on, for the transaction that claims them. */
  readonly dueJobs: string;
  /** What a job does: statements that commit together. */
  readonly jobActions: Readonly<Record<JobAction, readonly string[]>>;
}

const ALL: Readonly<Record<Dialect, DialectSql>> = { sqlite: SQLITE_SQL, postgres: POSTGRES_SQL };

export function sqlOf(dialect: Dialect): DialectSql {
  return ALL[dialect];
}
