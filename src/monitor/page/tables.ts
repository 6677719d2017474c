import type { RouteSnapshot, StatementSnapshot } from '../../metrics/index.ts';
import { statementDetail } from './details.ts';
import { element } from './dom.ts';
import { KeyedTable, type Column } from './keyed-table.ts';
import { duration, percent, shortCount } from './numbers.ts';

type Measured = Pick<
  RouteSnapshot,
  'count' | 'totalMs' | 'averageMs' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'maxMs' | 'errors'
>;

/** What statements and routes have in common. */
const MEASURES: readonly Column<Measured>[] = [
  { title: 'Calls', text: (row) => shortCount(row.count), order: (row) => row.count },
  {
    title: 'Time',
    about: 'Of all calls together',
    text: (row) => duration(row.totalMs),
    order: (row) => row.totalMs,
  },
  { title: 'Average', text: (row) => duration(row.averageMs), order: (row) => row.averageMs, isWide: true },
  { title: 'p50', text: (row) => duration(row.p50Ms), order: (row) => row.p50Ms, isWide: true },
  { title: 'p95', text: (row) => duration(row.p95Ms), order: (row) => row.p95Ms },
  { title: 'p99', text: (row) => duration(row.p99Ms), order: (row) => row.p99Ms, isWide: true },
  { title: 'Max', text: (row) => duration(row.maxMs), order: (row) => row.maxMs, isWide: true },
  {
    title: 'Errors',
    text: (row) => shortCount(row.errors),
    order: (row) => row.errors,
    level: (row) => (row.errors > 0 ? 'bad' : ''),
  },
];
const BY_TIME = { column: 1, direction: 'descending' } as const;

export function statementTable(): KeyedTable<StatementSnapshot> {
  return new KeyedTable<StatementSnapshot>({
    caption: 'Statements, sorted by the marked column',
    heading: 'Statement',
    key: ({ database, id }) => `${database} ${id}`,
    head: ({ name, text }) =>
      name === undefined
        ? element('code', { class: 'cut', title: text }, text)
        : element(
            'span',
            { class: 'cut', title: text },
            element('span', { class: 'name' }, name),
            ' ',
            element('code', { class: 'quiet' }, text),
          ),
    columns: [
      ...MEASURES,
      {
        title: 'Rows',
        about: 'Per call',
        text: (row) => shortCount(row.count === 0 ? 0 : row.rows / row.count),
        order: (row) => (row.count === 0 ? 0 : row.rows / row.count),
        isWide: true,
      },
    ],
    order: BY_TIME,
    empty: 'None yet, or none that the filter finds.',
    detail: statementDetail,
  });
}

export function routeTable(): KeyedTable<RouteSnapshot> {
  return new KeyedTable<RouteSnapshot>({
    caption: 'Routes, sorted by the marked column',
    heading: 'Route',
    key: ({ route }) => route,
    head: ({ route }) => element('code', { class: 'cut', title: route }, route),
    columns: [
      ...MEASURES,
      {
        title: 'Success',
        text: (row) => percent(row.successRate),
        order: (row) => row.successRate,
        level: (row) => (row.successRate < 0.99 ? 'bad' : ''),
        isWide: true,
      },
      {
        title: 'Slow',
        about: 'Beyond the threshold of the route',
        text: (row) => shortCount(row.warnings),
        order: (row) => row.warnings,
        level: (row) => (row.warnings > 0 ? 'warn' : ''),
        isWide: true,
      },
      {
        title: 'Queries',
        about: 'Per request',
        text: (row) => shortCount(row.count === 0 ? 0 : row.queries / row.count),
        order: (row) => (row.count === 0 ? 0 : row.queries / row.count),
        level: (row) => (row.overBudget > 0 ? 'warn' : ''),
      },
      {
        title: 'In database',
        about: 'Share of the time',
        text: (row) => percent(row.totalMs === 0 ? 0 : Math.min(1, row.dbMs / row.totalMs)),
        order: (row) => (row.totalMs === 0 ? 0 : row.dbMs / row.totalMs),
        isWide: true,
      },
    ],
    order: BY_TIME,
    empty: 'None yet. Requests are counted by measureRequests, functions by metrics.trackPerformance.',
  });
}
