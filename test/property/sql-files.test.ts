import { describe, expect, test } from 'vitest';
import { cpuMsOf } from '../fixtures/cpu-time.ts';
import { fullVariant, parseSqlFile, renderQuery, SourceText } from '../../src/sqlfile/index.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

/** Everything that begins, ends or escapes something, and everything that a file's format is made of. */
const HOSTILE = [
  ...[
    '-- name: a^\n',
    '-- name: b(c, d?)$\n',
    '--name:',
    '-- timeout: 5s\n',
    '-- choice: c.x = y\n',
    '-- tags: x\n',
  ],
  ...[
    '-- column: x!: number\n',
    '-- param: a?\n',
    '-- dialect: sqlite\n',
    '/*[*/',
    '/*]*/',
    '/*[ f */',
    '/*+ h */',
  ],
  ...[
    "'",
    '"',
    '`',
    '--',
    '/*',
    '*/',
    '$$',
    '$t$',
    '$',
    '\\',
    "E'",
    '::',
    ':',
    ':=',
    ':a',
    ':b.c',
    ':ü',
    '?',
    '$1',
  ],
  ...[
    'in ',
    'not in ',
    ';',
    '\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '\0',
    '\uFEFF',
    '\ud800',
    '\u{1F600}',
    'é',
    '(',
    ')',
  ],
  ...['select ', 'x', '1', ',', '.', '[', ']', '#', '%', '^', '!', '<!', '*!', '_', '-'],
] as const;

const text = fc.array(fc.constantFrom(...HOSTILE), { maxLength: 40 }).map((parts) => parts.join(''));

/** What a scanner must pass over whole, whatever is inside. */
const opaque = fc.oneof(
  text.map((body) => `'${body.replaceAll("'", "''")}'`),
  text.map((body) => `"${body.replaceAll('"', '""')}"`),
  text.map((body) => `/* ${body.replaceAll('*/', '')} */`.replaceAll(/\*+\/(?!$)/g, '')),
  text.map((body) => `$q$${body.replaceAll('$', '')}$q$`),
  text.map((body) => `E'${body.replaceAll(/['\\]/g, '\\$&')}'`),
  fc.constant("x::a -> '$.b' ? 'c' || a[1:2]"),
);
const plain = fc.constantFrom('select', 'from t', ',', '(x + 1)', 'y::int', '|| ', "->> 'k'");
const parameter = fc.constantFrom(':a', ':b', ':c.d', ':e');
const isSane = (piece: string): boolean => piece.isWellFormed() && !piece.includes('\0');

describe('a file of SQL', () => {
  test(
    'C55: of any content is read or refused, in a time that grows with its length',
    { timeout: scaledTimeoutMs() },
    () => {
      const random = randomFrom(seed);
      const count = scaled(10_000);
      for (let run = 0; run < count; run += 1) {
        const length = Math.floor(random() * 40);
        let file = '';
        for (let piece = 0; piece < length; piece += 1)
          file += HOSTILE[Math.floor(random() * HOSTILE.length)]!;
        const { definitions, problems } = parseSqlFile(new SourceText('a.sql', file));
        for (const definition of definitions) {
          for (const dialect of ['sqlite', 'postgres'] as const)
            renderQuery(definition, dialect, fullVariant(definition));
        }
        if (problems.some(({ line, column }) => !(line >= 1 && column >= 1))) {
          throw new Error(`seed ${seed}, run ${run}: a fault has no place: ${JSON.stringify(file)}`);
        }
      }
      expect(count).toBeGreaterThan(0);
    },
  );

  test('C62: of 4 MB that hardly ends anything takes no longer than its length', () => {
    for (const piece of [
      '$a',
      '/*[*/ ',
      '$',
      ':a ',
      "E'\\",
      '-- name: a\n',
      '(',
      '--\n',
      'in :a not ',
      "''",
    ]) {
      const file = `-- name: a\n${piece.repeat(1_000_000 / piece.length)}`;
      expect(
        cpuMsOf(() => parseSqlFile(new SourceText('a.sql', file))),
        piece,
      ).toBeLessThan(5_000);
    }
  });

  test('keeps strings, names, comments, dollar quotes and casts as they are, and finds the parameters', () => {
    const pieces = fc.array(fc.oneof(plain, parameter, opaque.filter(isSane)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (given) => {
        const body = `select ${given.join(' ')} end_`.replaceAll(/\r\n?/g, '\n');
        const { definitions, problems } = parseSqlFile(new SourceText('a.sql', `-- name: a\n${body}\n;`));
        expect(problems).toEqual([]);
        const numbers = new Map<string, number>();
        const expected = given.map((piece) => {
          if (!piece.startsWith(':')) return piece.replaceAll(/\r\n?/g, '\n');
          if (!numbers.has(piece)) numbers.set(piece, numbers.size + 1);
          return `$${numbers.get(piece)}`;
        });
        const rendered = renderQuery(definitions[0]!, 'postgres', fullVariant(definitions[0]!));
        expect(rendered.text).toBe(`select ${expected.join(' ')} end_`);
        expect(rendered.slots).toHaveLength(numbers.size);
      }),
      { numRuns: scaled(300) },
    );
  });

  test('says of each place in a rendered text where it stands in the file', () => {
    const body = "select :a, /*[*/ :b, /*]*/ 'x'\nfrom t where y in :ids";
    const file = `-- name: a\n${body}`;
    const [query] = parseSqlFile(new SourceText('a.sql', file)).definitions;
    const rendered = renderQuery(query!, 'sqlite', fullVariant(query!));
    for (const word of ['select', "'x'", 'from', 'where', 'y ']) {
      expect(rendered.sourceOffset(rendered.text.indexOf(word))).toBe(file.indexOf(word));
    }
  });
});
