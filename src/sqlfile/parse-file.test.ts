import { describe, expect, test } from 'vitest';
import type { QueryDefinition } from './definition.ts';
import { parseSqlFile } from './parse-file.ts';
import { fullVariant, renderQuery } from './render.ts';
import { SourceText } from './source-text.ts';

/** The definitions of a text without faults. */
function read(text: string): readonly QueryDefinition[] {
  const { definitions, problems } = parseSqlFile(new SourceText('a.sql', text));
  expect(problems.map(({ message }) => message)).toEqual([]);
  return definitions;
}

function one(text: string): QueryDefinition {
  const definitions = read(text);
  expect(definitions).toHaveLength(1);
  return definitions[0]!;
}

/** `line:column message` of each fault. */
function faults(text: string): string[] {
  const { problems } = parseSqlFile(new SourceText('a.sql', text));
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const sqliteText = (query: QueryDefinition): string => renderQuery(query, 'sqlite', fullVariant(query)).text;
const postgresText = (query: QueryDefinition): string =>
  renderQuery(query, 'postgres', fullVariant(query)).text;

describe('J8: a query', () => {
  test.each([
    ['', 'many'],
    ['^', 'one'],
    ['$', 'value'],
    ['!', 'affected'],
    ['<!', 'returning'],
    ['*!', 'each'],
    ['#', 'script'],
    [' ^ ', 'one'],
    ['()$', 'value'],
  ])('marked %j is read as %s', (mark, operation) => {
    expect(one(`-- name: a${mark}\nselect 1`).operation).toBe(operation);
  });

  test.each([
    ['get_job_by_id', 'getJobById'],
    ['get-job-by-id', 'getJobById'],
    ['getJobById', 'getJobById'],
    ['_private_one', '_privateOne'],
    ['größe_holen', 'größeHolen'],
    ['a__b', 'aB'],
    ['a1_2', 'a12'],
    ['Jobs', 'Jobs'],
  ])('named %s is %s', (written, name) => {
    expect(one(`-- name: ${written}\nselect 1`).name).toBe(name);
  });

  test.each(['--name:a', '--  name  :  a', '-- name: a  ', '\uFEFF-- name: a', '  -- name: a'])(
    'may begin with %j',
    (line) => {
      expect(one(`${line}\r\nselect 1\r\n`).name).toBe('a');
    },
  );

  test('has its comments as documentation, its statement without them and without the semicolon', () => {
    const query = one(`-- something else
-- name: a^
-- record_class: Job
-- One job,
--   by number.
/* not this */
select /* kept */ 1 -- and this
from t -- last
;
-- nothing
`);
    expect(query.documentation).toBe('One job,\n  by number.');
    expect(query.recordClass).toBe('Job');
    expect(sqliteText(query)).toBe('select /* kept */ 1 -- and this\nfrom t');
  });

  test('keeps hints, also before the statement', () => {
    expect(sqliteText(one('-- name: a\n/*+ IndexScan(t) */ select 1'))).toBe('/*+ IndexScan(t) */ select 1');
  });

  test('ends at the next name', () => {
    const names = read('-- name: a\nselect 1\n-- name: b\nselect 2;\n/* -- name: c */').map(
      ({ name }) => name,
    );
    expect(names).toEqual(['a', 'b']);
  });

  test('C55: is the same with CRLF, CR and a byte order mark', () => {
    const text = '-- name: a\n-- Doc.\n-- more\nselect 1,\n  2';
    const plain = one(text);
    for (const other of [text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r'), `\uFEFF${text}`]) {
      expect(one(other)).toEqual(plain);
    }
  });

  test('that is a script keeps all its statements', () => {
    const body = 'create table a (b);\ncreate trigger c after insert on a begin select 1; end;';
    expect(sqliteText(one(`-- name: a#\n${body}\n`))).toBe(body);
  });
});

describe('J8: parameters', () => {
  test('are found, each once, with the properties of objects', () => {
    const { parameters, ...query } = one('-- name: a\nselect :b, :c.d, :c.e.f,:b from t where x=:ü');
    const names = parameters.map(({ name, path }) => [name, ...path].join('.'));
    expect(names).toEqual(['b', 'c.d', 'c.e.f', 'ü']);
    expect(sqliteText({ ...query, parameters })).toBe('select ?1, ?2, ?3,?1 from t where x=?4');
    expect(postgresText({ ...query, parameters })).toBe('select $1, $2, $3,$1 from t where x=$4');
  });

  test.each([
    "':a'",
    '":a"',
    '`:a`',
    "'it''s :a'",
    'x::a',
    '$$ :a; $$',
    '$t$ :a $$ $t$',
    "E'\\' :a'",
    "e'it''s \\' ; :a'",
    'x[1:a]',
    'x[b:a]',
    'f(a := 1)',
    "x -> '$.a' ->> ':a'",
    '/* :a; */ 1',
    '1 -- :a ;',
  ])('are not found in %s', (text) => {
    const query = one(`-- name: a\nselect ${text}\nfrom t`);
    expect(query.parameters).toEqual([]);
    expect(sqliteText(query)).toBe(`select ${text}\nfrom t`);
  });

  test('may be declared, with marks for null', () => {
    const { parameters } = one('-- name: a(b, c?, d!)^\n-- param: b: Date\nselect :b, :c, :d.e');
    expect(parameters.map(({ name, nullable, type }) => [name, nullable, type])).toEqual([
      ['b', undefined, 'Date'],
      ['c', true, undefined],
      ['d', false, undefined],
    ]);
  });

  test('behind in are lists', () => {
    const query = one('-- name: a\nselect * from t where b in :ids and c NOT  IN :ids and d in (:e)');
    expect(query.parameters.map(({ name, isList }) => [name, isList])).toEqual([
      ['ids', true],
      ['e', false],
    ]);
    const variant = { ...fullVariant(query), listSizes: new Map([[0, 3]]) };
    expect(renderQuery(query, 'sqlite', variant)).toMatchObject({
      text: 'select * from t where b in (?1, ?2, ?3) and c not in (?1, ?2, ?3) and d in (?4)',
      slots: [
        { parameter: 0, element: 0 },
        { parameter: 0, element: 1 },
        { parameter: 0, element: 2 },
        { parameter: 1, element: undefined },
      ],
    });
    expect(postgresText(query)).toBe('select * from t where b = any($1) and c <> all($1) and d in ($2)');
  });
});

describe('an extension', () => {
  test('leaves optional parts out', () => {
    const query = one(
      '-- name: a\nselect * from t where true /*[*/ and b = :b /*]*/ /*[ old */ and c < 5 /*]*/ ' +
        'and d = :d and e = :d',
    );
    expect(query.parameters.map(({ name, isOptional }) => [name, isOptional])).toEqual([
      ['b', true],
      ['d', false],
    ]);
    expect(query.optionals).toEqual([
      { flag: undefined, parameters: [0] },
      { flag: 'old', parameters: [] },
    ]);
    const none = { ...fullVariant(query), optionals: [false, false] };
    expect(renderQuery(query, 'postgres', none).text).toBe(
      'select * from t where true   and d = $1 and e = $1',
    );
    expect(sqliteText(query)).toBe(
      'select * from t where true  and b = ?1   and c < 5  and d = ?2 and e = ?2',
    );
  });

  test('C61: takes one of the texts in the file for a choice', () => {
    const query = one(
      '-- name: a\n-- choice: sort.newest = b desc, c\n' +
        "-- choice: sort.name = coalesce(d, 'x')\nselect * from t order by :sort",
    );
    expect(query.parameters).toEqual([]);
    expect(sqliteText(query)).toBe('select * from t order by b desc, c');
    const other = { ...fullVariant(query), choices: ['name'] };
    expect(renderQuery(query, 'sqlite', other).text).toBe("select * from t order by coalesce(d, 'x')");
  });

  test('says what a query may take, where it runs, and what its columns are', () => {
    const query = one(`-- name: a
-- timeout: 1.5s
-- cache: 2 min
-- tags: jobs, dashboard , jobs
-- target: replica
-- dialect: postgres
-- column: b!
-- column: c?: 'x' | "y" | { a: number; b: string[] }
-- column: d: Map<string, () => void>
-- note: this is documentation
select 1 as b`);
    expect(query).toMatchObject({
      timeoutMs: 1_500,
      cacheMs: 120_000,
      tags: ['jobs', 'dashboard'],
      target: 'replica',
      dialect: 'postgres',
      documentation: 'note: this is documentation',
    });
    expect(query.columns.map(({ name, nullable, type }) => [name, nullable, type])).toEqual([
      ['b', false, undefined],
      ['c', true, `'x' | "y" | { a: number; b: string[] }`],
      ['d', undefined, 'Map<string, () => void>'],
    ]);
  });
});

describe('a fault is told with its place:', () => {
  test.each([
    ['-- name: a%\nselect 1', '1:11 Unknown mark "%" behind the name'],
    ['-- name: a (b ^\nselect 1', '1:12 Unknown mark "(b ^" behind the name'],
    ['-- name: 1a\nselect 1', "1:10 A query's name is a letter"],
    ['-- name:\nselect 1', "1:9 A query's name is a letter"],
    [`-- name: ${'a'.repeat(200)}\nselect 1`, "1:10 A query's name is a letter"],
    ['-- name: then\nselect 1', "1:10 then cannot be a query's name"],
    ['-- name: constructor\nselect 1', "1:10 constructor cannot be a query's name"],
    ['-- name: a', '1:10 a has no statement.'],
    ['-- name: a\n-- doc\n;\n-- name: b\nselect 1', '1:10 a has no statement.'],
    ['-- name: a\nselect 1; select 2; select 3', '2:11 A second statement'],
    ['\n  select 1\n-- name: a\nselect 1', '2:3 SQL without a name'],
    ["-- name: a\nselect 'x", '2:8 This string is never closed.'],
    ['-- name: a\nselect "x', '2:8 This quoted name is never closed.'],
    ["-- name: a\nselect E'x\\'", '2:9 This string is never closed.'],
    ['-- name: a\nselect 1 /* x', '2:10 This comment is never closed.'],
    ['-- name: a\nselect $x$ 1 $y$', '2:8 This text quoted by $x$ is never closed.'],
    ['-- name: a(b)\nselect 1', '1:12 The parameter b is declared but not used.'],
    ['-- name: a(b)\nselect :b, :c', '2:12 The parameter :c is used but not declared.'],
    ['-- name: a(b, b)\nselect :b', '1:15 The parameter b is declared twice.'],
    ['-- name: a(b c)\nselect :b', '1:12 Between the parentheses'],
    ['-- name: a(b,)\nselect :b', '1:14 Between the parentheses'],
    ['-- name: a\nselect $1', '2:8 Parameters have names in a file'],
    ['-- name: a#\nselect :b', '2:8 A script takes no parameters.'],
    ['-- name: a\nselect :b in :b', '2:14 :b is a list here and a value there.'],
    ['-- name: a\nselect :b, :b.c', '2:12 :b is a value and an object with properties.'],
    ['-- name: a\nselect :__proto__', '2:8 A parameter cannot be named __proto__.'],
    ['-- name: a\nselect 1 /*[*/ + :b', '2:10 This optional part has no end'],
    ['-- name: a\nselect 1 /*]*/', '2:10 Here no optional part is open.'],
    ['-- name: a\nselect 1 /*[*/ /*]*/', '2:10 This optional part has no parameter'],
    ['-- name: a\nselect /*[*/ :b /*[*/ :c /*]*/', '2:17 An optional part cannot be inside another one.'],
    ['-- name: a\nselect /*[ x-y */ :b /*]*/', '2:8 An optional part begins with'],
    ['-- name: a\nselect /*[ b */ :b /*]*/', '2:17 b names an optional part and a parameter.'],
    ['-- name: a\n-- timeout: soon\nselect 1', '2:13 A duration is a number'],
    ['-- name: a\n-- timeout: 30d\nselect 1', '2:13 A duration is a number'],
    ['-- name: a\n-- cache:\nselect 1', '2:1 A duration is a number'],
    ['-- name: a\n-- tags: a b\nselect 1', '2:10 Tags are words'],
    ['-- name: a\n-- dialect: mysql\nselect 1', '2:13 A dialect is'],
    ['-- name: a\n-- target: there\nselect 1', '2:12 A target is'],
    ['-- name: a\n-- record_class: a b\nselect 1', '2:18 A record class is'],
    ['-- name: a\n-- column: b\nselect 1', '2:12 Write column'],
    ['-- name: a\n-- column: b: x; y\nselect 1', '2:12 The type is no TypeScript type'],
    ['-- name: a\n-- column: b: (x]\nselect 1', '2:12 The type is no TypeScript type'],
    ["-- name: a\n-- column: b: 'x\nselect 1", '2:12 The type is no TypeScript type'],
    ['-- name: a\n-- column: b: x */ y\nselect 1', '2:12 The type is no TypeScript type'],
    ['-- name: a\n-- column: b!\n-- column: b?\nselect 1', '3:12 The column b is marked twice.'],
    ['-- name: a\n-- param: b!\nselect 1', '2:11 a has no parameter :b.'],
    ['-- name: a\n-- param: b\nselect :b', '2:11 Write param'],
    ['-- name: a\n-- choice: b = c\nselect 1', '2:12 Write choice'],
    ['-- name: a\n-- choice: b.c = d\nselect 1', '2:12 The choice b is not used'],
    [
      '-- name: a\n-- choice: b.c = d; drop table t\nselect :b',
      '2:12 A chosen text does not end the statement.',
    ],
    ['-- name: a\n-- choice: b.c = d -- e\nselect :b', '2:12 A chosen text has no comments.'],
    ['-- name: a\n-- choice: b.c = :d\nselect :b', '2:12 A chosen text has no parameters.'],
    ["-- name: a\n-- choice: b.c = 'd\nselect :b", '2:12 The chosen text opens a string'],
    ['-- name: a\n-- choice: b.c = d) or (e\nselect :b', '2:12 The chosen text has a parenthesis'],
    ['-- name: a\n-- choice: b.c = d\n-- choice: b.c = e\nselect :b', '3:12 The choice b.c is there twice.'],
    ['-- name: a\nselect 1\0', '2:9 The file has a NUL character'],
    ['-- name: a\nselect \ud800', '2:8 The file has half a surrogate pair.'],
  ])('%j', (text, fault) => {
    expect(faults(text)).toContainEqual(expect.stringContaining(fault));
  });

  test('all of them, with the line and a caret', () => {
    const { problems } = parseSqlFile(
      new SourceText('a.sql', '-- name: a%\nselect 1\n-- name: b(c)\n\tselect :d\u001b'),
    );
    expect(problems.map(({ line, column, excerpt }) => ({ line, column, excerpt }))).toEqual([
      { line: 1, column: 11, excerpt: '  1 | -- name: a%\n    |           ^' },
      { line: 3, column: 12, excerpt: '  3 | -- name: b(c)\n    |            ^' },
      { line: 4, column: 9, excerpt: '  4 | \tselect :d·\n    | \t       ^^' },
    ]);
  });

  test('C55: of a long line the excerpt shows the part around the place', () => {
    const { problems } = parseSqlFile(new SourceText('a.sql', `-- name: a\nselect ${'x, '.repeat(500)}$1`));
    expect(problems[0]).toMatchObject({ line: 2, column: 1508 });
    expect(problems[0]!.excerpt!.split('\n').map((line) => line.length)).toEqual([48, 48]);
  });
});
