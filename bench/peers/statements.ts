import type { Synchronous } from './peer.ts';

/** The same SQL for every peer that takes SQL. */
export const POINT_READ = 'select id, name, email, age, score, created_at from items where id = ?';
export const RANGE_READ =
  'select id, name, email, age, score, created_at from items where id >= ? order by id limit ?';
export const INSERT_EVENT = 'insert into events (item_id, kind, payload, at) values (?, ?, ?, ?)';
export const READ_BALANCE = 'select balance from accounts where id = ?';
export const WRITE_BALANCE = 'update accounts set balance = ? where id = ?';

/** A scan whose time grows with `rows`: every item is joined with that many numbers. */
export function scanOf(rows: number): string {
  return `select sum((items.age * numbers.n) % 7) from items cross join numbers where numbers.n <= ${rows}`;
}

/** What millpond sets on its connections, so that all compare at the same cache, mapping and durability. */
export function settingsOf(synchronous: Synchronous): readonly string[] {
  return [
    'journal_mode = wal',
    `synchronous = ${synchronous}`,
    'foreign_keys = on',
    'busy_timeout = 5000',
    'cache_size = -16384',
    'mmap_size = 134217728',
    'journal_size_limit = 67108864',
    'temp_store = memory',
    'trusted_schema = off',
  ];
}
