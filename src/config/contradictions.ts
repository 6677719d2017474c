import type { Merged } from './merge.ts';
import type { Problems } from './problems.ts';
import type { OptionName } from './schema.ts';
import { MEMORY_PATH } from './sqlite-url.ts';

/** Each reader is a thread, and beyond this many they only wait for one another. */
const MAX_READERS = 64;

/** Faults of combinations: two values that are fine alone and wrong together. */
export function checkTogether(merged: Merged, path: string | undefined, problems: Problems): void {
  const { originOf } = merged;
  const report: Report = (option, message) => problems.add(originOf(option), message);
  checkAnyEngine(merged, report);
  if (path === undefined) checkPostgres(merged, report);
  else checkSqlite(merged, path, report);
}

type Report = (option: OptionName, message: string) => void;

function checkAnyEngine(merged: Merged, report: Report): void {
  const { values } = merged;
  if (values['pool.min'] > values['pool.max']) {
    const limit = described(merged, 'pool.max');
    report('pool.min', `is ${values['pool.min']}; allowed: no more than the maximum, and ${limit}`);
  }
  if (values.readOnly && values.autoMigrate) {
    const reason = described(merged, 'readOnly');
    report('autoMigrate', `is true, and ${reason}: nothing can be migrated; remove one of them`);
  }
}

function checkPostgres(merged: Merged, report: Report): void {
  const { values } = merged;
  if (!values.readOnly || !values['postgres.throughPooler']) return;
  report(
    'postgres.throughPooler',
    `is true, and ${described(merged, 'readOnly')}: a session that is nobody's own cannot be made ` +
      'read-only; use a user who may only read',
  );
}

function checkSqlite(merged: Merged, path: string, report: Report): void {
  const { values } = merged;
  const readers = values['pool.max'] + values['pool.maxOverflow'];
  if (readers > MAX_READERS) {
    const culprit = values['pool.max'] > MAX_READERS ? 'pool.max' : 'pool.maxOverflow';
    const limit = `allowed on SQLite: ${MAX_READERS}, because each is a thread`;
    report(culprit, `allows ${readers} readers with overflow; ${limit}`);
  }
  const mode = values['sqlite.journalMode'];
  if (path === MEMORY_PATH && values.pooled) {
    const reason = 'a database in memory has one connection: others would each see an empty one';
    report('pooled', `is true; ${reason}`);
  } else if (path !== MEMORY_PATH && values.pooled && mode !== 'wal') {
    const reason = 'under which readers and the writer block each other; use "wal", or pooled: false';
    report('sqlite.journalMode', `is "${mode}", ${reason}`);
  }
  if (values.readOnly && values.initScript !== undefined) {
    const reason = described(merged, 'readOnly');
    report('initScript', `is there, and ${reason}: nothing can be created; remove one of them`);
  }
}

/** `pool.max is 4 (options)`: the other half of a contradiction. */
function described({ values, originOf }: Merged, option: 'pool.max' | 'readOnly'): string {
  const { key, source } = originOf(option);
  return `${key} is ${values[option]} (${source})`;
}
