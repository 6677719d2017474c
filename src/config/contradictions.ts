import type { Merged } from './merge.ts';
import type { Problems } from './problems.ts';
import type { OptionName } from './schema.ts';
import { MEMORY_PATH } from './sqlite-url.ts';

/** Each reader is a thread, and beyond this many they only wait for one another. */
const MAX_READERS = 64;

/** Faults of combinations: two values that are fine alone and wrong together. */
export function checkTogether(merged: Merged, path: string | undefined, problems: Problems): void {
  const { values, originOf } = merged;
  const report = (option: OptionName, message: string): void => problems.add(originOf(option), message);
  const tell = (option: 'pool.max' | 'readOnly'): string => {
    const { key, source } = originOf(option);
    return `${key} is ${values[option]} (${source})`;
  };
  if (values['pool.min'] > values['pool.max']) {
    report(
      'pool.min',
      `is ${values['pool.min']}; allowed: no more than the maximum, and ${tell('pool.max')}`,
    );
  }
  if (values.readOnly && values.autoMigrate) {
    report('autoMigrate', `is true, and ${tell('readOnly')}: nothing can be migrated; remove one of them`);
  }
  if (path === undefined && values.readOnly && values['postgres.throughPooler']) {
    report(
      'postgres.throughPooler',
      `is true, and ${tell('readOnly')}: a session that is nobody's own cannot be made read-only; ` +
        'use a user who may only read',
    );
  }
  // The rest is about SQLite files.
  if (path === undefined) return;
  const readers = values['pool.max'] + values['pool.maxOverflow'];
  if (readers > MAX_READERS) {
    const culprit = values['pool.max'] > MAX_READERS ? 'pool.max' : 'pool.maxOverflow';
    report(
      culprit,
      `allows ${readers} readers with overflow; allowed on SQLite: ${MAX_READERS}, because each is a thread`,
    );
  }
  if (path === MEMORY_PATH) {
    if (values.pooled)
      report(
        'pooled',
        'is true; a database in memory has one connection: others would each see an empty one',
      );
  } else if (values.pooled && values['sqlite.journalMode'] !== 'wal') {
    const mode = values['sqlite.journalMode'];
    report(
      'sqlite.journalMode',
      `is "${mode}", under which readers and the writer block each other; use "wal", or pooled: false`,
    );
  }
  if (values.readOnly && values.initScript !== undefined) {
    report('initScript', `is there, and ${tell('readOnly')}: nothing can be created; remove one of them`);
  }
}
