import { describe, expect, it } from 'vitest';
import type { FileRequest } from './file-request.ts';
import type { Layer } from './layer.ts';
import { Problems } from './problems.ts';
import { parseYaml } from './yaml-file.ts';
import { readYamlEntries } from './yaml-sections.ts';

const variables = new Map(
  Object.entries({ PG_PASSWORD: 'p@ss:w/rd', SECRET_SIZE: 'CANARY', ENGINE: 'postgres' }).map(
    ([name, value]) => [name, { value, source: 'environment' }],
  ),
);

type Asked = Partial<Pick<FileRequest, 'name' | 'dialect'>>;

function readYaml(text: string, asked: Asked = {}): Layer & { names: readonly string[] } {
  const problems = new Problems();
  const entries = parseYaml(text, 'config/database.yaml', problems);
  const request = { name: 'main', dialect: undefined, variables, problems, ...asked };
  const { layer, names } = readYamlEntries(entries, request);
  problems.throwIfAny();
  return { ...layer, names };
}
const valuesOf = ({ settings }: Layer): Record<string, unknown> =>
  Object.fromEntries(settings.map(({ option, value }) => [option, value]));

const JOB_SCHEDULER = `
database:
  sqlite:
    path: data/jobs.db
    pool_size: 5
    pool_timeout: 30
    busy_timeout: 5000
    journal_mode: WAL
    synchronous: NORMAL
    cache_size: -64000
    foreign_keys: ON
`;

describe('config/database.yaml', () => {
  it('J1 J13 reads the keys of a job scheduler, with their units', () => {
    const layer = readYaml(JOB_SCHEDULER);
    expect(layer.url).toEqual({
      url: 'sqlite:data/jobs.db',
      key: 'database.sqlite.path',
      source: 'config/database.yaml:4',
    });
    expect(valuesOf(layer)).toEqual({
      'pool.max': 5,
      'pool.acquireTimeoutMs': 30_000,
      busyTimeoutMs: 5_000,
      'sqlite.journalMode': 'wal',
      'sqlite.synchronous': 'normal',
      'sqlite.cacheSizeKiB': 64_000,
      'sqlite.foreignKeys': true,
    });
    expect(layer.settings[0]).toMatchObject({
      key: 'database.sqlite.pool_size',
      source: 'config/database.yaml:5',
    });
  });

  it('takes every other option by its name in snake_case', () => {
    const yaml =
      'database:\n  sqlite: { query_timeout_ms: 5s, health_check_enabled: no, inline_budget_ms: 0.5 }';
    expect(valuesOf(readYaml(yaml))).toEqual({
      queryTimeoutMs: 5_000,
      'healthCheck.enabled': false,
      inlineBudgetMs: 0.5,
    });
  });

  it('J1 puts an address of PostgreSQL together, whatever the password holds', () => {
    const yaml =
      'database:\n  postgres: { host: "::1", port: 6432, user: a, password: "${PG_PASSWORD}", database: x }';
    const { url } = readYaml(yaml);
    expect(url?.url).toBe('postgres://a:p%40ss%3Aw%2Frd@[::1]:6432/x');
    expect(url?.source).toBe('config/database.yaml:2');
  });

  it.each([
    ['{ user: app, database: main }', 'postgres://app@localhost/main'],
    ['{ host: /run/pg, user: app, database: main }', 'postgres://app@%2Frun%2Fpg/main'],
    ['{ url: "postgres://app@db/main" }', 'postgres://app@db/main'],
  ])('reads postgres: %s as %s', (section, address) => {
    expect(readYaml(`database:\n  postgres: ${section}`).url?.url).toBe(address);
  });

  it('P19 reads a write side, and readers as a list or as one', () => {
    const list = readYaml(
      'database:\n  postgres:\n    write_url: postgres://a\n    read_urls: [postgres://b, postgres://c]',
    );
    expect(list.writeUrl?.url).toBe('postgres://a');
    expect(list.readUrls.map(({ url }) => url)).toEqual(['postgres://b', 'postgres://c']);
    const one = readYaml('database:\n  postgres:\n    read_urls: postgres://b');
    expect(one.readUrls.map(({ url }) => url)).toEqual(['postgres://b']);
  });

  it.each([
    ['data/a b#c.db', 'sqlite:data/a%20b%23c.db'],
    ['":memory:"', 'sqlite::memory:'],
    ['sqlite:data/app.db?pool_max=3', 'sqlite:data/app.db?pool_max=3'],
    ['C:\\data\\app.db', 'sqlite:C:%5Cdata%5Capp.db'],
  ])('reads the path %s as %s', (path, address) => {
    expect(readYaml(`database:\n  sqlite:\n    path: ${path}`).url?.url).toBe(address);
  });

  const BOTH = '  sqlite: { path: a.db }\n  postgres: { url: "postgres://a" }\n';

  it.each([
    ['engine: sqlite', undefined, 'sqlite:a.db'],
    ['engine: ${ENGINE}', undefined, 'postgres://a'],
    ['engine: sqlite', 'postgres', 'postgres://a'],
  ] as const)('M9 chooses by %s and an address of %s between two engines', (engine, dialect, chosen) => {
    expect(readYaml(`database:\n  ${engine}\n${BOTH}`, { dialect }).url?.url).toBe(chosen);
  });

  it('M9 refuses to choose between two engines by itself', () => {
    expect(() => readYaml(`database:\n${BOTH}`)).toThrow(
      'has sqlite and postgres; choose with engine: sqlite or engine: postgres',
    );
  });

  it('J2 knows several databases by name, main also under databases', () => {
    const yaml =
      'databases:\n  main: { sqlite: { path: a.db } }\n  analytics: { sqlite: { path: b.db, pool_size: 2 } }';
    const main = readYaml(yaml);
    expect(main.url?.url).toBe('sqlite:a.db');
    expect(main.names).toEqual(['main', 'analytics']);
    const analytics = readYaml(yaml, { name: 'analytics' });
    expect(analytics.settings[0]?.key).toBe('databases.analytics.sqlite.pool_size');
    expect(readYaml(yaml, { name: 'other' }).url).toBeUndefined();
  });

  it('needs variables only for the section that is used', () => {
    const yaml = 'database:\n  engine: sqlite\n  sqlite: { path: a.db }\n  postgres: { url: "${MISSING}" }';
    expect(readYaml(yaml).url?.url).toBe('sqlite:a.db');
  });

  it('checks the keys of every section', () => {
    const yaml =
      'database:\n  engine: sqlite\n  sqlite: { path: a.db }\n  postgres: { pasword: x }\n' +
      'databases:\n  b:\n    sqlite:\n      pool_siz: 2';
    expect(() => readYaml(yaml)).toThrow(
      'database.postgres.pasword (config/database.yaml:4): is not an option; did you mean password?\n' +
        '  - databases.b.sqlite.pool_siz (config/database.yaml:8): is not an option; did you mean pool_size?',
    );
  });

  it.each([
    ['', {}],
    ['# nothing yet\n', {}],
    ['database:\r\n  sqlite:\r\n    pool_size: 3\r\n', { 'pool.max': 3 }],
  ])('reads %j', (text, values) => {
    expect(valuesOf(readYaml(text))).toEqual(values);
  });

  it('names a variable, never what it held, where its value is wrong', () => {
    const reading = (): Layer => readYaml('database:\n  sqlite:\n    pool_size: ${SECRET_SIZE}');
    expect(reading).toThrow('is what ${SECRET_SIZE} gives; allowed: a whole number from 1 to 1,000');
    expect(reading).not.toThrow('CANARY');
  });
});

describe('a wrong config/database.yaml', () => {
  it.each([
    ['just text', 'holds no keys; it begins with "database:" or "databases:"'],
    ['- a\n- b', 'holds no keys'],
    ['database: {', 'is not valid YAML'],
    [
      'database:\n  sqlite:\n    path: a\n    path: b',
      'config/database.yaml:4): is not valid YAML (duplicate key)',
    ],
    ['database:\n\tsqlite: x', 'config/database.yaml:2): is not valid YAML (tab as indent)'],
    ['database: !!unknown x', 'is not valid YAML (tag resolve failed)'],
    ['a: 1\n---\nb: 2', 'is not valid YAML (multiple docs)'],
    [
      'database: &x\n  sqlite: *x',
      'database.sqlite (config/database.yaml:2): is an alias; write the value out',
    ],
    ['database:', 'database (config/database.yaml:1): has no value; remove the key, or give it one'],
    ['database: x', 'database (config/database.yaml:1): is a value; allowed: keys below it'],
    [
      'database:\n  sqlite: x',
      'database.sqlite (config/database.yaml:2): is a value; allowed: keys below it',
    ],
    ['database:\n  sqlite:\n    path:', 'database.sqlite.path (config/database.yaml:3): has no value'],
    ['database:\n  sqlite:\n    path: [a, b]', 'is a list; allowed: one value'],
    ['database:\n  sqlite:\n    path: [[a]]', 'is a list of more than values'],
    ['database:\n  sqlite:\n    pool_size: { max: 3 }', 'holds keys; allowed: a value'],
    ['databases:\n  a:\n    sqlite:\n      pool_size: { max: { x: 3 } }', 'holds keys; allowed: a value'],
    [
      'database:\n  mysql: { url: x }',
      'database.mysql (config/database.yaml:2): is not an engine; there are: engine, sqlite, postgres',
    ],
    ['database:\n  sqlit: { path: x }', 'is not an engine; did you mean sqlite?'],
    [
      'database:\n  engine: mysql\n  sqlite: { path: x }',
      'names no engine that this section has; allowed: sqlite',
    ],
    ['database:\n  engine: ${MISSING}\n  sqlite: { path: x }', 'needs variables that are not set: MISSING'],
    ['database:\n  engine: [sqlite]\n  sqlite: { path: x }', 'is no word; allowed: sqlite'],
    ['database:\n  engine: sqlite', 'allowed: nothing, while there is no section sqlite or postgres'],
    [
      'databse:\n  sqlite: { path: x }',
      'databse (config/database.yaml:1): is not a section; did you mean database?',
    ],
    [
      'production:\n  sqlite: { path: x }',
      'is no section: the file is one for every environment; write ${NAME:-default}',
    ],
    [
      'database: { sqlite: { path: a } }\ndatabases: { main: { sqlite: { path: b } } }',
      'is there twice; the other is database (config/database.yaml:1)',
    ],
    [
      'database:\n  sqlite:\n    path: ${MISSING}',
      'needs variables that are not set: MISSING; set them, or write ${MISSING:-default}',
    ],
    ['database:\n  sqlite:\n    path: postgres://app:CANARY@db/main', 'is the address of another engine'],
    [
      'database:\n  sqlite:\n    pool_max: 3\n    pool_size: 0',
      'is "0"; allowed: a whole number from 1 to 1,000',
    ],
    ['database:\n  sqlite:\n    pool_timeout: 5000', 'is "5000", more than an hour in seconds'],
    ['database:\n  sqlite:\n    synchronous: off', 'is "off"; allowed: "normal", "full" or "extra"'],
    [
      'database:\n  postgres: { url: "postgres://a", host: b, port: 1 }',
      'is there beside host, port; write one or the other',
    ],
    [
      'database:\n  postgres: { journal_mode: wal }',
      'database.postgres.journal_mode (config/database.yaml:2): is not an option',
    ],
    ['database:\n  ? [a, b]\n  : x', 'database.(unreadable name) (config/database.yaml:2): is not an engine'],
    ['['.repeat(50_000), 'config/database.yaml:1): is not valid YAML (resource exhaustion)'],
  ])('is refused: case %#', (text, message) => {
    const reading = (): Layer => readYaml(text);
    expect(reading).toThrow(message);
    expect(reading).not.toThrow('CANARY');
  });
});
