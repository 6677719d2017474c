import { Scanner } from '../../sqlfile/index.ts';

/** Where the sign of `@name` and `$name` stands in a statement, which has them as `:name` afterwards. */
export function foreignNames(sql: string): number[] {
  const scanner = new Scanner(sql);
  const found: number[] = [];
  while (scanner.next()) {
    const { kind, start, end } = scanner;
    if (kind !== 'symbol' || end !== start + 1 || !'@$'.includes(sql[start]!)) continue;
    if (/[\p{L}_]/u.test(sql[end] ?? '')) found.push(start);
  }
  return found;
}

const BOUNDARY = /^\s*(?:begin|commit|end|rollback|savepoint|release)\b/i;

/** True for a statement that begins or ends a transaction. */
export function isTransactionControl(sql: string): boolean {
  return BOUNDARY.test(sql);
}

/** Settings that millpond has by itself, so that the statement can go. */
const OURS: readonly RegExp[] = [
  /^\s*journal_mode\s*=\s*'?wal'?\s*;?\s*$/i,
  /^\s*foreign_keys\s*=\s*(?:on|1|true|yes)\s*;?\s*$/i,
];
/** Pragmas that read, or that change the file and no connection. */
const OF_THE_FILE = new Set([
  ...[
    'user_version',
    'application_id',
    'table_info',
    'table_xinfo',
    'table_list',
    'index_info',
    'index_xinfo',
  ],
  ...['index_list', 'foreign_key_list', 'integrity_check', 'quick_check', 'foreign_key_check'],
  ...['database_list', 'page_count', 'freelist_count', 'page_size', 'encoding', 'compile_options'],
]);
const READS = /^\s*\w+\s*;?\s*$/;

/** What becomes of `pragma('…')`: the pool has several connections, so what changes one is refused. */
export function pragmaFate(text: string): 'drop' | 'keep' | 'option' {
  if (OURS.some((pattern) => pattern.test(text))) return 'drop';
  const name = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? '';
  return OF_THE_FILE.has(name) || READS.test(text) ? 'keep' : 'option';
}
