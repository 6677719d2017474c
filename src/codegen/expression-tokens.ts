/** Operators that give a value for two values, or an error; not ->, ->>, #> and the like. */
export const OPERATORS: ReadonlySet<string> = new Set([
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '=',
  '<>',
  '<',
  '>',
  '<=',
  '>=',
  'AND',
  'OR',
  '~~',
  '!~~',
  '~~*',
  '!~~*',
  '~',
  '!~',
]);
/** One lexical piece: quoted text, a word, a number, an operator, a sign. */
const TOKEN = new RegExp(
  [
    String.raw`\s*((?:[EB]|U&)?'(?:[^']|'')*'|"(?:[^"]|"")*"`,
    String.raw`[\p{L}_][\p{L}\p{N}_$]*|\$\d+|\d[\w.]*`,
    '::|[(),.[\\]]|[-+*/<>=~!@#%^&|`?:]+)',
  ].join('|'),
  'uy',
);

export function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (found === null) return undefined;
    tokens.push(found[1]!);
  }
  return tokens;
}

/** The same for the same expression, however many parentheses are around it. */
export function keyOf(tokens: readonly string[]): string {
  return withoutParentheses(tokens).join(' ');
}

export function unquoted(name: string): string {
  return name.slice(1, -1).replaceAll('""', '"');
}

export function withoutParentheses(tokens: readonly string[]): readonly string[] {
  let inner = tokens;
  while (inner[0] === '(' && closing(inner, 0) === inner.length - 1) inner = inner.slice(1, -1);
  return inner;
}

/** A cast of a value is a value, or an error. */
export function withoutCast(tokens: readonly string[]): readonly string[] {
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    if (tokens[at] === '(') depth += 1;
    if (tokens[at] === ')') depth -= 1;
    // Only the type follows a cast; an operator there would mean that not the whole expression is cast.
    if (
      depth === 0 &&
      tokens[at] === '::' &&
      tokens
        .slice(at + 1)
        .every((token) => /^[\w"(),[\]:]+$/.test(token) && !OPERATORS.has(token) && token !== 'IS')
    ) {
      return withoutParentheses(tokens.slice(0, at));
    }
  }
  return tokens;
}

/** The index of the parenthesis that closes the one at `from`. */
export function closing(tokens: readonly string[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    if (tokens[at] === '(') depth += 1;
    if (tokens[at] === ')' && (depth -= 1) === 0) return at;
  }
  return tokens.length;
}

/** The pieces between separators that stand outside of parentheses and of another CASE. */
export function split(tokens: readonly string[], ...separators: readonly string[]): string[][] {
  const pieces: string[][] = [[]];
  atTop(tokens, (token, depth) => {
    if (depth === 0 && separators.includes(token)) pieces.push([]);
    else pieces.at(-1)!.push(token);
  });
  return pieces;
}

export function atTop(tokens: readonly string[], look: (token: string, depth: number) => void): void {
  let depth = 0;
  for (const token of tokens) {
    if (token === ')' || token === 'END') depth -= 1;
    look(token, depth);
    if (token === '(' || token === 'CASE') depth += 1;
  }
}
