import { split, tokensOf, unquoted, withoutCast, withoutParentheses } from './expression-tokens.ts';

/** What an UPDATE, or the one of ON CONFLICT, writes as it is given: no plan shows into which columns. */
export interface Assignments {
  /** The table, as the text names it. */
  readonly table: string;
  /** By the number of a parameter, the column that it is assigned to. */
  readonly columns: ReadonlyMap<number, string>;
}

/** What ends a list of assignments. */
const ENDS: ReadonlySet<string> = new Set(['from', 'returning', 'where']);

/**
 * Reads the one list of assignments in a text. It narrows what a caller may pass and says nothing of rows,
 * so a text that is not understood only leaves more allowed: undefined, where there is a comment or another
 * list.
 */
export function readAssignments(text: string): Assignments | undefined {
  const tokens = tokensOf(text.replace(/[\s;]+$/, ''));
  if (tokens === undefined || tokens.some((token) => /^(?:--|\/\*)/.test(token))) return undefined;
  const words = tokens.map((token) => token.toLowerCase());
  const at = words.indexOf('set');
  if (at === -1 || words.lastIndexOf('set') !== at) return undefined;
  const table = tableOf(tokens, words);
  if (table === undefined) return undefined;
  const length = words.slice(at + 1).findIndex((word) => ENDS.has(word));
  const list = length === -1 ? tokens.slice(at + 1) : tokens.slice(at + 1, at + 1 + length);
  return { table, columns: new Map(split(list, ',').flatMap(assignmentOf)) };
}

function tableOf(tokens: readonly string[], words: readonly string[]): string | undefined {
  const verb = words.findIndex((word) => word === 'into' || word === 'update');
  const from = words[verb + 1] === 'only' ? verb + 2 : verb + 1;
  const name = tokens[from + 1] === '.' ? tokens[from + 2] : tokens[from];
  return verb === -1 || name === undefined ? undefined : nameOf(name);
}

function assignmentOf([column, equals, ...value]: readonly string[]): [number, string][] {
  const [parameter = '', ...more] = withoutCast(withoutParentheses(value));
  if (column === undefined || equals !== '=' || more.length > 0 || !/^\$\d+$/.test(parameter)) return [];
  return [[Number(parameter.slice(1)), nameOf(column)]];
}

function nameOf(token: string): string {
  return token.startsWith('"') ? unquoted(token) : token.toLowerCase();
}
