import type { RecentLeak, StatementSnapshot } from '../../metrics/index.ts';
import type { MonitorState } from '../monitor-state.ts';

/** Which statements are shown. */
export interface StatementFilter {
  /** Any of text, name and tables contains it; case does not matter. Empty: all. */
  readonly words: string;
  /** Empty: of all databases. */
  readonly database: string;
}

export function matches(statement: StatementSnapshot, { words, database }: StatementFilter): boolean {
  if (database !== '' && statement.database !== database) return false;
  const { text, name = '', tablesRead, tablesWritten } = statement;
  const all = [text, name, ...tablesRead, ...tablesWritten].join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(' ')
    .every((word) => all.includes(word));
}

/** Something that somebody should look at. */
export type Problems = Pick<MonitorState, 'leaks' | 'slowQueries' | 'errors' | 'notices'>;

/** What belongs to one database; all, where none is named. */
export function partOf(
  { databases, suspects, leaks, slowQueries, errors, notices }: MonitorState,
  database: string,
): Pick<MonitorState, 'databases' | 'suspects'> & { readonly problems: Problems } {
  const isMeant = (name: string) => database === '' || name === database;
  const of = <Item extends { readonly database: string }>(items: readonly Item[]) =>
    items.filter((item) => isMeant(item.database));
  return {
    databases: databases.filter(({ name }) => isMeant(name)),
    suspects: of(suspects),
    problems: { leaks: of(leaks), slowQueries: of(slowQueries), errors: of(errors), notices: of(notices) },
  };
}

const SAME_MOMENT_MS = 1_000;

/** A lease that was reported and came back later is shown once: as one that came back. */
export function latestOfEach(leaks: readonly RecentLeak[]): RecentLeak[] {
  const returned = leaks.filter((leak) => leak.returned);
  return leaks.filter((leak) => leak.returned || !returned.some((later) => isSameLease(leak, later)));
}

function isSameLease(one: RecentLeak, other: RecentLeak): boolean {
  const identity = ({ database, pool, holder, takenAt }: RecentLeak) =>
    JSON.stringify([database, pool, holder, takenAt]);
  const takenMs = (leak: RecentLeak) => leak.at - leak.heldMs;
  return identity(one) === identity(other) && Math.abs(takenMs(one) - takenMs(other)) < SAME_MOMENT_MS;
}

/** The same thing, several times: the newest of them, and how many there were. */
export interface Repeated<Item> {
  readonly newest: Item;
  readonly count: number;
}

/** What is the same by `key` becomes one, in the order of the newest. The items come newest first. */
export function grouped<Item>(items: readonly Item[], key: (item: Item) => string): Repeated<Item>[] {
  const counts = new Map<string, { newest: Item; count: number }>();
  for (const item of items) {
    const known = counts.get(key(item));
    if (known === undefined) counts.set(key(item), { newest: item, count: 1 });
    else known.count += 1;
  }
  return [...counts.values()];
}

/** Which column a table is sorted by. */
export interface Order {
  readonly column: number;
  readonly direction: 'ascending' | 'descending';
}

/** The first press sorts the largest first, as one who looks for trouble wants it. */
export function nextOrder(order: Order, column: number): Order {
  const isAgain = order.column === column && order.direction === 'descending';
  return { column, direction: isAgain ? 'ascending' : 'descending' };
}

export function sorted<Row>(rows: readonly Row[], of: (row: Row) => number, { direction }: Order): Row[] {
  const sign = direction === 'descending' ? -1 : 1;
  return [...rows].sort((a, b) => sign * (of(a) - of(b)));
}
