import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { cpuMsOf } from '../fixtures/cpu-time.ts';
import { UsageError } from '../../src/errors/index.ts';
import { compile, Sql, sql, type Dialect, type Params } from '../../src/sql/index.ts';
import { fc } from '../fixtures/property.ts';

const DIALECTS: readonly Dialect[] = ['sqlite', 'postgres'];

/** Everything that begins, ends or escapes something, and everything that looks like a placeholder. */
const HOSTILE = [
  ...[
    ':a',
    ':b1',
    ':ü',
    ':1',
    '?',
    '?1',
    '$1',
    '$a',
    '@a',
    '::',
    ':',
    ':=',
    '[1:2]',
    '[a:b]',
    '?|',
    '->>',
    '#>',
  ],
  ...[
    "'",
    '"',
    '`',
    '[',
    ']',
    '--',
    '/*',
    '*/',
    '$$',
    '$t$',
    '$',
    '\\',
    "\\'",
    "E'",
    "e'",
    "U&'",
    '/',
    '*',
    '-',
  ],
  ...[' ', '\n', '\r', '\t', 'x', 'select', '1', '0x1F', '1e5', '(', ')', ',', 'é', '\u{1F600}', 'x$1', '_'],
] as const;
const hostileText = fc.array(fc.constantFrom(...HOSTILE), { maxLength: 12 }).map((parts) => parts.join(''));

/** What a scanner must pass over whole, whatever is inside. */
const opaqueOnBoth = fc.oneof(
  hostileText.map((body) => `'${body.replaceAll("'", "''")}'`),
  hostileText.map((body) => `"${body.replaceAll('"', '""')}"`),
  hostileText.map((body) => `--${body.replaceAll(/[\n\r]/g, '')}\n`),
  hostileText.map((body) => `/*${body.replaceAll(/[/*]/g, '')}*/`),
  fc.constantFrom(
    'x',
    'select',
    'x$1',
    '1',
    '1.5e3',
    '+',
    ')',
    '.',
    '::int',
    ' := ',
    '<',
    'été',
    '-',
    '/',
    '*',
  ),
);
const opaque: Readonly<Record<Dialect, fc.Arbitrary<string>>> = {
  sqlite: fc.oneof(
    opaqueOnBoth,
    hostileText.map((body) => `\`${body.replaceAll('`', '``')}\``),
    hostileText.map((body) => `[${body.replaceAll(']', '')}]`),
    fc.constantFrom("->> '$.a'", String.raw`x'00'`, String.raw`'\'`, '-- \r :a\n', '/* /* */'),
  ),
  postgres: fc.oneof(
    opaqueOnBoth,
    // The word behind it parts it from a string in the next line, which would be its continuation.
    hostileText.map((body) => `E'${body.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}' x`),
    hostileText.map((body) => `$$${body.replaceAll('$', '')}$$`),
    hostileText.map((body) => `$tag$${body.replaceAll('tag', '')}$tag$`),
    fc.tuple(hostileText, hostileText).map((bodies) => {
      const [outer, inner] = bodies.map((body) => body.replaceAll(/[/*]/g, ''));
      return `/*${outer}/*${inner}*/${outer}*/`;
    }),
    fc.constantFrom(
      '?',
      '?|',
      '?&',
      '@?',
      '#>>',
      'a[1:2]',
      'a[lo:hi]',
      "f('a':b)",
      'a[:2]',
      "E'a'\n'\\' :a' x",
    ),
  ),
};

/** A text in pieces: those at odd places are to become placeholders, numbered by what they name. */
interface Pieces {
  readonly texts: readonly string[];
  readonly names: readonly number[];
}

const blank = fc.constantFrom(' ', '\n', '(', ' ,', '=', '\t', ' + ');

function piecesOf(dialect: Dialect): fc.Arbitrary<Pieces> {
  const filler = fc
    .array(fc.tuple(blank, opaque[dialect]), { maxLength: 5 })
    .chain((tokens) =>
      fc.tuple(blank, blank).map(([first, last]) => `${first}${tokens.flat().join('')}${last}`),
    );
  return fc
    .array(fc.nat({ max: 5 }), { maxLength: 6 })
    .chain((names) =>
      fc.record({ names: fc.constant(names), texts: fc.array(filler, lengthOf(names.length + 1)) }),
    );
}

const lengthOf = (length: number): { minLength: number; maxLength: number } => ({
  minLength: length,
  maxLength: length,
});

function weave(texts: readonly string[], placeholder: (index: number) => string): string {
  return texts.reduce((text, next, index) => `${text}${placeholder(index - 1)}${next}`);
}

describe.each(DIALECTS)('on %s, whatever strings, names and comments stand between', (dialect) => {
  const sign = dialect === 'sqlite' ? '?' : '$';

  test('names are found exactly where they were put', () => {
    const property = fc.property(piecesOf(dialect), ({ texts, names }) => {
      const order = [...new Set(names)];
      const text = weave(texts, (index) => `:n${names[index]}`);
      const params = Object.fromEntries(order.map((name) => [`n${name}`, name]));
      const expected = weave(texts, (index) => `${sign}${order.indexOf(names[index]!) + 1}`);
      expect(compile(text, params, dialect)).toEqual({ text: expected, params: order });
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('values of a template become placeholders where they stand, in fragments too', () => {
    const property = fc.property(piecesOf(dialect), fc.nat(), ({ texts, names }, seed) => {
      const text = weave(texts, (index) => (dialect === 'sqlite' ? '?' : `$${index + 1}`));
      const split = seed % (names.length + 1);
      const fragment = new Sql(texts.slice(split), names.slice(split));
      const nested = new Sql([...texts.slice(0, split), '', ''], [...names.slice(0, split), fragment]);
      for (const query of [new Sql(texts, names), nested]) {
        expect(compile(query, undefined, dialect)).toEqual({ text, params: names });
      }
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('positional placeholders pass through untouched, and are counted', () => {
    const property = fc.property(piecesOf(dialect), ({ texts, names }) => {
      const text = weave(texts, (index) => (dialect === 'sqlite' ? '?' : `$${index + 1}`));
      expect(compile(text, names, dialect)).toEqual({ text, params: names });
      expect(() => compile(text, [...names, 1], dialect)).toThrow(UsageError);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('C62: no text and no parameters make compile fail with anything but a UsageError', () => {
    const text = fc.oneof(hostileText, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    const property = fc.property(text, fc.anything(), fc.array(fc.anything()), (given, one, many) => {
      const attempts = [
        () => compile(given, one as Params, dialect),
        () => compile(given, many, dialect),
        () => compile(given, undefined, dialect),
        () => compile(one as string, many, dialect),
        () => compile(sql`${sql.raw(given)} ${one} ${sql.join(many)}`, undefined, dialect),
        () => compile(sql`${sql.id(given)}`, undefined, dialect),
      ];
      for (const attempt of attempts) expect(outcomeOf(attempt)).not.toBe('another error');
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

function outcomeOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'compiled';
  } catch (error) {
    return error instanceof UsageError ? 'refused' : 'another error';
  }
}

describe('SQLite itself', () => {
  const literal = hostileText.map((body) => ({
    text: `'${body.replaceAll("'", "''")}'`,
    value: body as unknown,
  }));
  const bound = fc.tuple(fc.nat({ max: 4 }), hostileText);
  const around = opaque.sqlite.filter((token) => /^(--|\/\*)/.test(token) && !token.includes('/* /*'));

  test('binds every name where it was put', () => {
    using database = new DatabaseSync(':memory:');
    const column = fc.tuple(fc.oneof(literal, bound), around, opaque.sqlite.filter(isQuotedName));
    const property = fc.property(fc.array(column, { minLength: 1, maxLength: 8 }), (columns) => {
      const values: Record<string, unknown> = {};
      const expected: unknown[] = [];
      const expressions = columns.map(([content, comment, name]) => {
        if (!Array.isArray(content)) {
          expected.push(content.value);
          return `${comment} ${content.text} as ${name}`;
        }
        const [number, value] = content;
        values[`n${number}`] ??= value;
        expected.push(values[`n${number}`]);
        return `${comment} :n${number} ${comment} as ${name}`;
      });
      const { text, params } = compile(`select ${expressions.join(', ')}`, values, 'sqlite');
      const statement = database.prepare(text);
      statement.setReturnArrays(true);
      expect(statement.get(...(params as string[]))).toEqual(expected);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('C61: reads an identifier back as the name it was made of, whatever an attacker writes', () => {
    using database = new DatabaseSync(':memory:');
    const name = fc
      .oneof(hostileText, fc.string({ unit: 'binary' }))
      .filter((given) => given !== '' && !given.includes('\0') && given.isWellFormed());
    const property = fc.property(name, (given) => {
      const { text } = compile(sql`select 1 as ${sql.id(given)}`, undefined, 'sqlite');
      expect(database.prepare(text).columns()[0]!.name).toBe(given);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});

function isQuotedName(token: string): boolean {
  return /^["`[]./s.test(token) && !/^(""|``|\[\])$/.test(token);
}

describe('C62: a hostile text of one megabyte is read in linear time', () => {
  const SIZE = 1_000_000;
  /** Some 10 to 100 ms are usual, more while coverage is counted; anything quadratic takes minutes. */
  const LIMIT_MS = 5_000;
  const long = 'a'.repeat(SIZE / 2);
  const WHOLE = [
    `$${long}${long}`,
    `$${long}$${long}`,
    `$${long}$${'$a'.repeat(SIZE / 4)}`,
    `:${long}${long}`,
  ];
  const REPEATED = [
    ...[
      "E''\n",
      "E'' --\n",
      "E'\\'",
      '--\n',
      '--x\r',
      '/*',
      '/**/',
      '*/',
      '$a$',
      '$a',
      '$a$b',
      '$1 ',
      ':a ',
      ':a',
    ],
    ...[
      '? ',
      '??',
      '?1',
      '@a',
      "'",
      '"',
      '`',
      '[',
      ']',
      '-',
      '/',
      '$',
      ':',
      '::',
      'a',
      'é',
      '1',
      ' ',
      "''",
      "'a",
    ],
  ];

  function timeOf(work: () => unknown): number {
    return cpuMsOf(() => outcomeOf(work));
  }

  test.each(DIALECTS)('on %s', (dialect) => {
    for (const pattern of [...REPEATED, ...WHOLE]) {
      const text = pattern.repeat(Math.ceil(SIZE / pattern.length));
      const took = timeOf(() => compile(text, {}, dialect));
      expect(took, `${pattern.slice(0, 10)}… took ${took} ms`).toBeLessThan(LIMIT_MS);
    }
  });

  test.each(DIALECTS)('on %s, for any pattern', (dialect) => {
    const property = fc.property(hostileText, hostileText, (pattern, end) => {
      const text = pattern.repeat(Math.ceil(SIZE / Math.max(1, pattern.length))) + end;
      expect(timeOf(() => compile(text, [], dialect))).toBeLessThan(LIMIT_MS);
    });
    fc.assert(property, { numRuns: 25 });
  });

  test('for the names of a template in many fragments', () => {
    const fragments = Array.from({ length: 60_000 }, (_, index) => sql`${index} + 1`);
    expect(timeOf(() => compile(sql.join(fragments), undefined, 'postgres'))).toBeLessThan(LIMIT_MS);
  });
});
