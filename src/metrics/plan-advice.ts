import type { Dialect } from '../sql/index.ts';

/** Something worth knowing in a plan: a hint for a person, with the index that would probably help. */
export interface PlanAdvice {
  readonly severity: 'hint' | 'warning';
  readonly message: string;
  /** A statement to try; names are as the plan writes them. */
  readonly index?: string;
}

/** Lines of a plan that are read. */
const MOST_LINES = 200;

/** Reads the lines of EXPLAIN QUERY PLAN, or of EXPLAIN, for what costs most. */
export function adviseOnPlan(lines: readonly string[], statement: string, dialect: Dialect): PlanAdvice[] {
  const read = dialect === 'sqlite' ? adviseOnSqliteLine : adviseOnPostgresLine;
  const advice = lines
    .slice(0, MOST_LINES)
    .flatMap((line, index) => read(line, { statement, next: lines[index + 1] ?? '' }));
  // A table that is read in several places of the statement is named once.
  return [...new Map(advice.map((one) => [one.message, one])).values()];
}

interface Around {
  /** Normalised. */
  readonly statement: string;
  /** The line below. */
  readonly next: string;
}

/** https://sqlite.org/eqp.html */
function adviseOnSqliteLine(line: string, { statement }: Around): PlanAdvice[] {
  const automatic = /^SEARCH (\S+) .*USING AUTOMATIC (?:PARTIAL )?(?:COVERING )?INDEX \(([^)]*)\)/.exec(line);
  if (automatic !== null) return [automaticIndex(automatic[1]!, automatic[2]!, statement)];
  const scan = /^SCAN (\S+)( .*)?$/.exec(line);
  if (scan !== null && isTable(scan[1]!)) return [fullScan(scan[1]!, scan[2] ?? '', statement)];
  const sort = /^USE TEMP B-TREE FOR (.*)$/.exec(line);
  if (sort === null) return [];
  return [{ severity: 'hint', message: `Sorts or groups without an index: ${sort[1]!.toLowerCase()}.` }];
}

/** `SCAN CONSTANT ROW`, `SCAN 2-ROW VALUES CLAUSE`, `SCAN json_each VIRTUAL TABLE` read no table. */
function isTable(name: string): boolean {
  return name !== 'CONSTANT' && !/^\d+-ROW|^\(/.test(name);
}

function automaticIndex(alias: string, terms: string, statement: string): PlanAdvice {
  const table = tableOf(alias, statement);
  const columns = terms.split(' AND ').map((term) => term.replace(/[=<>?].*$/, ''));
  return {
    severity: 'warning',
    message: `SQLite builds an index on ${table}(${columns.join(', ')}) for each run of this statement.`,
    index: `create index on_${table}_${columns.join('_')} on ${table} (${columns.join(', ')})`,
  };
}

function fullScan(alias: string, rest: string, statement: string): PlanAdvice {
  const table = tableOf(alias, statement);
  if (rest.includes('VIRTUAL TABLE')) return { severity: 'hint', message: `Reads all of ${table}.` };
  const columns = comparedColumns(alias, statement);
  const through = rest.includes('USING') ? `, through${rest.replace(' USING', '').toLowerCase()}` : '';
  const message = `Reads every row of ${table}${through}.`;
  if (columns.length === 0) return { severity: 'hint', message };
  return {
    severity: 'warning',
    message: `${message} It looks for ${columns.join(' and ')}.`,
    index: `create index on_${table}_${columns.join('_')} on ${table} (${columns.join(', ')})`,
  };
}

/** https://www.postgresql.org/docs/current/using-explain.html */
function adviseOnPostgresLine(line: string, { next }: Around): PlanAdvice[] {
  const scan = /Seq Scan on (\S+)/.exec(line);
  const cost = Number(/\.\.(\d{1,12})/.exec(line)?.[1] ?? Infinity);
  if (scan !== null) return [cost < SMALL_COST ? smallScan(scan[1]!) : sequentialScan(scan[1]!, next)];
  if (/^\s*(->\s+)?Sort\s/.test(line)) return [{ severity: 'hint', message: 'Sorts without an index.' }];
  return [];
}

/** In the planner's units (a page in sequence is 1): below this a table is read whole despite any index. */
const SMALL_COST = 50;

function smallScan(table: string): PlanAdvice {
  return { severity: 'hint', message: `Reads every row of ${table}, which are few.` };
}

function sequentialScan(table: string, next: string): PlanAdvice {
  const message = `Reads every row of ${table}.`;
  // The filter has a column that is compared as another type as `(name)::text`.
  const filter = (/^\s*Filter: (.*)$/.exec(next)?.[1] ?? '').replaceAll(
    /\((\w{1,63})\)::[\w ]{0,62}\w/g,
    '$1',
  );
  const columns = [
    ...new Set([...filter.matchAll(/\(?\b([a-z_][\w$]{0,62}) = /g)].map((match) => match[1]!)),
  ];
  if (columns.length === 0) return { severity: 'hint', message };
  return {
    severity: 'warning',
    message: `${message} It looks for ${columns.join(' and ')}.`,
    index: `create index concurrently on ${table} (${columns.join(', ')})`,
  };
}

/** The table behind an alias: plans of SQLite show the alias alone. */
function tableOf(alias: string, statement: string): string {
  const words = statement.split(/[\s,()]+/);
  const at = words.findIndex(
    (word, index) => word === alias.toLowerCase() && /^(from|join)$/.test(wordBefore(words, index)),
  );
  return at === -1 ? alias : (words[at - (words[at - 1] === 'as' ? 2 : 1)] ?? alias);
}

/** The keyword before the table that an alias at `index` stands behind. */
function wordBefore(words: readonly string[], index: number): string {
  return words[index - (words[index - 1] === 'as' ? 3 : 2)] ?? '';
}

/** Columns of that table that are compared with one value. */
function comparedColumns(alias: string, statement: string): string[] {
  const from = statement.indexOf(' where ');
  if (from === -1) return [];
  const compared = [...statement.slice(from).matchAll(/([\w.]{1,128}) (?:=|in|<|>|<=|>=) \(?\?/g)];
  const names = compared.map((match) => match[1]!.split('.'));
  const own = names.filter((parts) => parts.length === 1 || parts[0] === alias.toLowerCase());
  return [...new Set(own.map((parts) => parts.at(-1)!))];
}
