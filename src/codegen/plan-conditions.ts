import { OPERATORS, split, tokensOf, unquoted, withoutParentheses } from './expression-tokens.ts';

/** A column as a condition names it: the alias of its table, and the name as SQL quotes it. */
export interface ColumnOfAlias {
  readonly alias: string;
  readonly column: string;
}

/** A column that must be equal to something for a row to come through. */
export interface Equality extends ColumnOfAlias {
  /** The tables whose columns are in what it is equal to; none for parameters and constants. */
  readonly others: readonly string[];
}

/** What a node lets through besides its join, by the keys under which EXPLAIN shows it. */
export const ROW_CONDITIONS = ['Filter', 'Index Cond', 'Recheck Cond'] as const;
/** What brings the two sides of a join together. */
export const JOIN_CONDITIONS = ['Hash Cond', 'Merge Cond', 'Join Filter'] as const;

/** Functions that give the same for the same: what they are given decides how many values there are. */
const STEADY: ReadonlySet<string> = new Set(['btrim', 'lower', 'md5', 'replace', 'upper']);
/** With these in it an expression is compared otherwise, with several values, or anew for each row. */
const OTHER_WAYS: ReadonlySet<string> = new Set(['ANY', 'ALL', 'CASE', 'COLLATE', 'SubPlan', 'hashed']);

/** The columns that a condition holds to one value. Verbose plans name each column with its table. */
export function equalitiesOf(condition: string): Equality[] {
  return conjunctsOf(condition).flatMap((tokens) => {
    const sides = sidesOf(tokens, (operator) => operator === '=');
    if (sides === undefined) return [];
    const [left, right] = sides;
    return [...equalityOf(left, right), ...equalityOf(right, left)];
  });
}

/** The columns that are not NULL in any row that a condition lets through. */
export function requiredColumns(condition: string): ColumnOfAlias[] {
  return conjunctsOf(condition).flatMap((tokens) => {
    const isTest = tokens.slice(-3).join(' ') === 'IS NOT NULL';
    const sides = isTest ? [tokens.slice(0, -3)] : sidesOf(tokens, needsBoth);
    return (sides ?? []).flatMap((side) => columnOf(side) ?? []);
  });
}

/** With OR one side may be NULL where the other is true. */
function needsBoth(operator: string): boolean {
  return OPERATORS.has(operator) && operator !== 'OR';
}

function equalityOf(side: readonly string[], other: readonly string[]): Equality[] {
  const column = columnOf(side);
  const others = aliasesIn(other);
  if (column === undefined || others === undefined || others.includes(column.alias)) return [];
  return [{ ...column, others }];
}

/** What all has to be true, in pieces. EXPLAIN writes no OR beside AND without parentheses. */
function conjunctsOf(condition: string): (readonly string[])[] {
  const tokens = withoutParentheses(tokensOf(condition) ?? []);
  return split(tokens, 'AND')
    .map(withoutParentheses)
    .filter((piece) => piece[0] !== 'NOT');
}

/** Both sides of the one operator that stands outside of parentheses, where it is such a one. */
function sidesOf(
  tokens: readonly string[],
  isMeant: (operator: string) => boolean,
): [readonly string[], readonly string[]] | undefined {
  let depth = 0;
  const found = tokens.flatMap((token, at) => {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    const isOperator = depth === 0 && (/^[-+*/<>=~!@#%^&|`?]+$/.test(token) || /^(?:IS|OR)$/.test(token));
    return isOperator ? [at] : [];
  });
  const [at] = found;
  if (at === undefined || found.length > 1 || !isMeant(tokens[at]!)) return undefined;
  return [tokens.slice(0, at), tokens.slice(at + 1)];
}

function columnOf(side: readonly string[]): ColumnOfAlias | undefined {
  const [first = '', dot, column, ...more] = withoutTextCast(withoutParentheses(side));
  if (dot !== '.' || column === undefined || more.length > 0 || !isName(first)) return undefined;
  return { alias: nameOf(first), column };
}

/** A `varchar` is compared as text, `((t.name)::text = $1)`: different values stay different. */
function withoutTextCast(tokens: readonly string[]): readonly string[] {
  const isCast = tokens.at(-2) === '::' && tokens.at(-1) === 'text';
  return isCast ? withoutParentheses(tokens.slice(0, -2)) : tokens;
}

/** The tables in an expression; undefined where it need not be the same for all rows of a scan. */
function aliasesIn(tokens: readonly string[]): string[] | undefined {
  const found = new Set<string>();
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (OTHER_WAYS.has(token)) return undefined;
    if (next === '.' && isName(token)) found.add(nameOf(token));
    if (next === '(' && isName(token) && !STEADY.has(token)) return undefined;
  }
  return [...found];
}

function isName(token: string): boolean {
  return /^["\p{L}_]/u.test(token);
}

function nameOf(token: string): string {
  return token.startsWith('"') ? unquoted(token) : token;
}
