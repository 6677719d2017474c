import { describePlaceholders, isDigit, pastToken } from '../sql/index.ts';

/**
 * A text of PostgreSQL with a subquery in the place of each placeholder, which is planned for any value. A
 * null would be planned as what it is: a comparison with it is never true.
 *
 * @param types of the placeholders in their order, as the server names them
 */
export function withUnknownValues(text: string, types: readonly (string | undefined)[]): string {
  const numbered = describePlaceholders(text, 'postgres').text;
  let made = '';
  for (let at = 0; at < numbered.length;) {
    const end = pastToken(numbered, at, 'postgres');
    const token = numbered.slice(at, end);
    made += withoutValue(token, types) ?? token;
    at = end;
  }
  return made;
}

function withoutValue(token: string, types: readonly (string | undefined)[]): string | undefined {
  if (token[0] !== '$' || !isDigit(token.charCodeAt(1))) return undefined;
  const type = types[Number(token.slice(1)) - 1];
  // The outer cast changes nothing, and is no subquery where that would mean rows: any(select …).
  return type === undefined ? undefined : `cast((select cast(null as ${type})) as ${type})`;
}

/** What such a subquery is in a plan, before PostgreSQL 17 and from there on. */
const SUBQUERY = /^ *InitPlan (\d+)(?: \(returns (\$\d+)\))?$/;
const NOTHING = /^ *-> {2}Result {2}\(cost=\S+ rows=1 width=\d+\)$/;

/** The plan without those subqueries: their values are `?` again. */
export function withoutSubqueries(lines: readonly string[]): string[] {
  const names: string[] = [];
  const kept = lines.filter((line, index) => {
    const [, number, returned] = SUBQUERY.exec(line) ?? [];
    if (number !== undefined && NOTHING.test(lines[index + 1] ?? '')) {
      names.push(returned ?? `(InitPlan ${number}).col1`);
      return false;
    }
    return !(NOTHING.test(line) && SUBQUERY.test(lines[index - 1] ?? ''));
  });
  return kept.map((line) => names.reduce(withMark, line));
}

/** `$1` is not the beginning of `$12`. */
function withMark(line: string, name: string): string {
  const pattern = name.replaceAll(/[$().]/g, String.raw`\$&`);
  return line.replaceAll(new RegExp(`${pattern}(?!\\d)`, 'g'), '?');
}
