import { toSqliteUrl } from '../../config/index.ts';
import { child, keyOf, list, textOf, type Node } from './node.ts';

/** What `new Database(…)` becomes, or why it stays. */
export type Opening = { readonly target: string } | { readonly reason: string };

/** Options of better-sqlite3 and node:sqlite that have a counterpart, with its name. */
const OPTIONS: Readonly<Record<string, string>> = {
  readonly: 'readOnly',
  readOnly: 'readOnly',
  timeout: 'busyTimeoutMs',
};

/** @param isOnly whether it is the only one, so that it may have the name `main` */
export function readOpening(node: Node, text: string, isOnly: boolean): Opening {
  const [path, given, ...rest] = list(node, 'arguments');
  if (rest.length > 0 || path?.type === 'SpreadElement') return { reason: 'its arguments are not known' };
  const options = given === undefined ? [] : readOptions(given, text);
  if (typeof options === 'string') return { reason: options };
  const url = path === undefined ? `'sqlite::memory:'` : urlOf(path, text);
  const all = isOnly ? options : ['name: false', ...options];
  return { target: all.length === 0 ? url : `${url}, { ${all.join(', ')} }` };
}

function urlOf(path: Node, text: string): string {
  const literal = path.type === 'StringLiteral' ? textOf(path, 'value') : undefined;
  if (literal === '' || literal === ':memory:') return `'sqlite::memory:'`;
  if (literal !== undefined) return `'${toSqliteUrl(literal).replaceAll("'", '%27')}'`;
  return `\`sqlite:\${${text.slice(path.start, path.end)}}\``;
}

function readOptions(given: Node, text: string): string[] | string {
  if (given.type !== 'ObjectExpression') return 'its options are not written there';
  const options: string[] = [];
  for (const property of list(given, 'properties')) {
    const key = keyOf(property);
    const value = child(property, 'value');
    if (key === undefined || value === undefined || !Object.hasOwn(OPTIONS, key))
      return `there is no option ${key ?? 'of that name'} to take the place of this one`;
    options.push(`${OPTIONS[key]!}: ${text.slice(value.start, value.end)}`);
  }
  return options;
}
