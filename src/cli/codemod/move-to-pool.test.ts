import { describe, expect, test } from 'vitest';
import { UsageError } from '../../errors/index.ts';
import { moveToPool, type Moved } from './move-to-pool.ts';

const HEAD = "import type { Database } from 'better-sqlite3';\n";
const MOVED_HEAD = "import type { CompatDatabase } from 'millpond/compat';\n";

async function move(
  files: Readonly<Record<string, string>>,
): Promise<Moved & { text(path: string): string }> {
  const moved = await moveToPool(new Map(Object.entries(files)));
  const text = (path: string): string => moved.files.find((file) => file.path === path)?.text ?? files[path]!;
  const after = Object.keys(files).map((path) => [path, text(path)] as const);
  const again = await moveToPool(new Map(after));
  expect(again.files, 'a second run changes nothing').toEqual([]);
  return { ...moved, text };
}

/** The body of a file that uses `db`, moved. */
async function moveBody(body: string): Promise<string> {
  const { text } = await move({ 'a.ts': HEAD + body });
  expect(text('a.ts').startsWith(MOVED_HEAD)).toBe(true);
  return text('a.ts').slice(MOVED_HEAD.length).replaceAll('CompatDatabase', 'Database');
}

const places = ({ byHand }: Moved): string[] =>
  byHand.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);

describe('moving from one connection to a pool (S12)', () => {
  test('opens a pool where the connection was opened, with its path and options', async () => {
    const cases = {
      "new Database('data/app.db')": "compat(await openDatabase('sqlite:data/app.db'))",
      'new Database()': "compat(await openDatabase('sqlite::memory:'))",
      "new Database(':memory:')": "compat(await openDatabase('sqlite::memory:'))",
      'new Database(process.argv[2]!)': 'compat(await openDatabase(`sqlite:${process.argv[2]!}`))',
      "new Database('a b?.db', { readonly: true, timeout: 1_000 })":
        "compat(await openDatabase('sqlite:a%20b%3F.db', { readOnly: true, busyTimeoutMs: 1_000 }))",
    };
    for (const [before, after] of Object.entries(cases)) {
      const { text } = await move({
        'a.ts': `import Database from 'better-sqlite3';\nconst db = ${before};\n`,
      });
      expect(text('a.ts')).toBe(
        "import { openDatabase } from 'millpond';\nimport { compat } from 'millpond/compat';\n" +
          `const db = ${after};\n`,
      );
    }
  });

  test('gives no name to connections that may be several', async () => {
    const { text } = await move({
      'a.mjs':
        "import { DatabaseSync } from 'node:sqlite';\nexport const open = () => new DatabaseSync('a.db');\n",
    });
    expect(text('a.mjs')).toContain(
      "export const open = async () => compat(await openDatabase('sqlite:a.db', { name: false }));",
    );
  });

  test('keeps what it does not understand of an opening, and everything that uses it', async () => {
    const before =
      "import Database from 'better-sqlite3';\n" +
      "const db = new Database('a.db', { verbose: console.log });\n" +
      "export const all = () => db.prepare('select 1').all();\n";
    const moved = await move({ 'a.ts': before });
    expect(moved.text('a.ts')).toBe(before);
    expect(places(moved)).toEqual([
      'a.ts:2:12 this connection stays as it is: there is no option verbose to take the place of this one',
    ]);
  });

  test('awaits each call, with brackets where they are needed', async () => {
    const cases = {
      "return db.prepare('a').get(1)": "return await db.prepare('a').get(1)",
      "return db.prepare('a').get(1).x": "return (await db.prepare('a').get(1)).x",
      "return db.prepare('a').get(1)!": "return (await db.prepare('a').get(1))!",
      "return (db.prepare('a').get(1) as T).x": "return (await db.prepare('a').get(1) as T).x",
      "return !db.prepare('a').get(1)": "return !await db.prepare('a').get(1)",
      "return (db.prepare('a').all()).length": "return (await db.prepare('a').all()).length",
      "return 2 * db.prepare('a').pluck().get() ** 2":
        "return 2 * (await db.prepare('a').pluck().get()) ** 2",
      "return f(db.prepare('a').raw().all(), ...db.prepare('b').all())":
        "return f(await db.prepare('a').raw().all(), ...await db.prepare('b').all())",
      "for (const row of db.prepare('a').iterate(1)) f(row)":
        "for await (const row of db.prepare('a').iterate(1)) f(row)",
      "for (const row of db.prepare('a').all()) f(row)":
        "for (const row of await db.prepare('a').all()) f(row)",
      "f()\n  db.prepare('a').get(1).x()": "f()\n  ;(await db.prepare('a').get(1)).x()",
      'db.transaction(() => f())()': 'await db.transaction(() => f())()',
      "db.exec('a'); db.close();": "await db.exec('a'); await db.close();",
      "return db.pragma('user_version', { simple: true })":
        "return await db.pragma('user_version', { simple: true })",
    };
    for (const [before, after] of Object.entries(cases)) {
      const [open, close] = ['function g(db: Database, f: any) {\n  ', '\n}\n'];
      expect(await moveBody(`${open}${before}${close}`)).toBe(`async ${open}${after}${close}`);
    }
  });

  test('leaves out settings that every connection has', async () => {
    const { text } = await move({
      'a.ts':
        `${HEAD}export function f(db: Database): void {\n  db.pragma('journal_mode = WAL');\n` +
        "  db.pragma('foreign_keys = ON');\n  if (db.name) db.pragma('foreign_keys = on');\n}\n",
    });
    expect(text('a.ts')).toBe(
      `${MOVED_HEAD}export function f(db: CompatDatabase): void {\n  if (db.name) ;\n}\n`,
    );
  });

  test('makes every kind of function asynchronous, with its type', async () => {
    const get = "db.prepare('a').get()";
    const moved = await moveBody(`
export const a = (db: Database): T => ${get} as T;
export const b = function (db: Database): void { ${get}; };
export default function <R>(db: Database): R { return ${get} as R; }
export class C extends B {
  constructor(private db: Database) {}
  public static override make?(db: Database): T { return ${get} as T; }
  ['x' + 1](): T { return this.${get} as T; }
  #own(): T { return this.${get} as T; }
  protected arrow = (): T => this.#own();
  done(): Promise<T> { return Promise.resolve(this.${get} as T); }
}
export const d = (db: Database) => ({
  get e(): number { return 1; },
  f(): T { return ${get} as T; },
});
`);
    expect(moved).toBe(`
export const a = async (db: Database): Promise<T> => await ${get} as T;
export const b = async function (db: Database): Promise<void> { await ${get}; };
export default async function <R>(db: Database): Promise<R> { return await ${get} as R; }
export class C extends B {
  constructor(private db: Database) {}
  public static override async make?(db: Database): Promise<T> { return await ${get} as T; }
  async ['x' + 1](): Promise<T> { return await this.${get} as T; }
  async #own(): Promise<T> { return await this.${get} as T; }
  protected arrow = async (): Promise<T> => await this.#own();
  done(): Promise<T> { return Promise.resolve(this.${get} as T); }
}
export const d = (db: Database) => ({
  get e(): number { return 1; },
  async f(): Promise<T> { return await ${get} as T; },
});
`);
  });

  test('follows calls through files, folders, classes, interfaces, parameters and CommonJS', async () => {
    const { text, byHand } = await move({
      'db/index.ts':
        "import Sqlite from 'better-sqlite3';\nlet db: Sqlite.Database | undefined;\n" +
        "export function connection(): Sqlite.Database {\n  return (db ??= new Sqlite('a.db'));\n}\n",
      'users.ts':
        "import { connection as open } from './db/index.js';\nexport * from './store.ts';\n" +
        "export const count = (): number => open().prepare('a').pluck().get() as number;\n",
      'store.ts': `${HEAD}export interface Store { size(): number; each(work: (n: number) => void): void }
export class Base implements Store {
  constructor(protected readonly db: Database) {}
  size(): number { return this.db.prepare('a').pluck().get() as number; }
  each(work: (n: number) => void): void { work(1); }
}
export class Fixed extends Base { override size(): number { return 1; } }
export const twice = (store: Store): number => store.size() * 2;
export const run = <T>(work: () => T): T => work();
`,
      'main.ts':
        "import { connection } from './db';\nimport { count, Fixed, run, twice } from './users.ts';\n" +
        'const store = new Fixed(connection());\nstore.each((n) => n);\n' +
        'export const sum = (): number => run(() => count() + twice(store) + store.size());\n',
      'old.cjs': "const { add } = require('./more.cjs');\nmodule.exports = { go: (db) => add(db) };\n",
      'more.cjs':
        "const { DatabaseSync } = require('node:sqlite');\nexports.add = (db) => db.exec('a');\n" +
        'exports.use = (path) => { const db = new DatabaseSync(path); exports.add(db); };\n',
    });
    expect(byHand).toEqual([]);
    expect(text('db/index.ts')).toContain('async function connection(): Promise<CompatDatabase> {');
    expect(text('users.ts')).toContain("= async (): Promise<number> => await (await open()).prepare('a')");
    expect(text('store.ts')).toContain(
      'interface Store { size(): Promise<number>; each(work: (n: number) => void)',
    );
    expect(text('store.ts')).toContain('override async size(): Promise<number> { return 1; }');
    expect(text('store.ts')).toContain(
      'twice = async (store: Store): Promise<number> => await store.size() * 2;',
    );
    expect(text('main.ts')).toContain('new Fixed(await connection());\nstore.each((n) => n);\n');
    expect(text('main.ts')).toContain(
      'await run(async () => await count() + await twice(store) + await store.size())',
    );
    expect(text('more.cjs')).toContain("exports.add = async (db) => await db.exec('a');");
    expect(text('more.cjs')).toContain(
      "const { openDatabase } = require('millpond');\nconst { compat } = require(",
    );
    expect(text('more.cjs')).toContain(
      'use = async (path) => { const db = compat(await openDatabase(`sqlite:${path}`',
    );
    expect(text('more.cjs')).not.toContain('DatabaseSync');
  });

  test('follows values that a name gets later, and parameters that calls fill', async () => {
    const { text, byHand } = await move({
      'a.mjs':
        "import { DatabaseSync } from 'node:sqlite';\nlet db;\n" +
        "export function get() {\n  db ??= new DatabaseSync('a.db');\n" +
        "  return all(db, ({ db: same }) => same.exec('a'));\n}\n" +
        'const all = (given, f) => {\n  f({ db: given });\n' +
        "  return given.prepare('a').all().map((row) => db.prepare('b').all(row));\n};\n",
    });
    expect(byHand).toEqual([]);
    expect(text('a.mjs')).toContain('  return await all(db, async ({ db: same }) => await same.exec');
    expect(text('a.mjs')).toContain(
      "  await f({ db: given });\n  return await Array.fromAsync(await given.prepare('a').all(), " +
        "async (row) => await db.prepare('b').all(row));",
    );
  });

  test('goes through arrays one after another, as before', async () => {
    const moved = await moveBody(`
function get(db: Database, id: number) { return db.prepare('a').get(id); }
export function all(db: Database, ids: number[]): unknown {
  ids.forEach((id) => { get(db, id); });
  return ids.filter(Boolean).map((id, n) => get(db, id + n)).length;
}
`);
    expect(moved).toContain('await Array.fromAsync(ids, async (id) => { await get(db, id); });');
    expect(moved).toContain(
      '(await Array.fromAsync(ids.filter(Boolean), async (id, n) => await get(db, id + n))).length;',
    );
  });

  test('writes names of parameters as :name, in statements and nowhere else', async () => {
    const moved = await moveBody(`
const SQL = 'update t set a = @a';
export function f(db: Database, table: string) {
  db.prepare(SQL).run({ a: '@a' });
  db.prepare(\`select '@x', "$y" /* @z */ from \${table} where a = @a and b = $b\`).all({ a: 1, b: '$b' });
}
`);
    expect(moved).toContain("const SQL = 'update t set a = :a';");
    expect(moved).toContain("run({ a: '@a' })");
    expect(moved).toContain('`select \'@x\', "$y" /* @z */ from ${table} where a = :a and b = :b`');
    expect(moved).toContain("{ a: 1, b: '$b' }");
  });

  test('moves types, and what is bound becomes a list', async () => {
    const { text } = await move({
      'a.ts':
        "import type Sqlite from 'better-sqlite3';\nimport type { RunResult } from 'better-sqlite3';\n" +
        'type S = Sqlite.Statement<{ id: number }, { n: number }>;\n' +
        'export const f = (db: Sqlite.Database): S => db.prepare<{ id: number }, { n: number }>("a");\n' +
        'export const g = (s: S): RunResult => s.run({ id: 1 });\n',
      'b.ts':
        "import type { StatementSync } from 'node:sqlite';\nimport { compat } from './c.ts';\n" +
        'export const h = (s: StatementSync): unknown => compat(s.get());\n',
      'c.ts': 'export const compat = (x: unknown): unknown => x;\n',
    });
    expect(text('a.ts')).toBe(
      "import type { CompatStatement, CompatDatabase, CompatRunResult } from 'millpond/compat';\n" +
        'type S = CompatStatement<[{ id: number }], { n: number }>;\n' +
        'export const f = (db: CompatDatabase): S => db.prepare<[{ id: number }], { n: number }>("a");\n' +
        'export const g = async (s: S): Promise<CompatRunResult> => await s.run({ id: 1 });\n',
    );
    expect(text('b.ts')).toContain('async (s: CompatStatement): Promise<unknown> => compat(await s.get());');
  });

  test('takes another name where one of its own is taken, and keeps line ends and a first line', async () => {
    const { text } = await move({
      'a.mts':
        "#!/usr/bin/env node\r\nimport Database from 'better-sqlite3';\r\nconst compat = 1;\r\n" +
        'export const db = new Database(`a.db`);\r\nconsole.log(compat);\r\n',
    });
    expect(text('a.mts')).toBe(
      "#!/usr/bin/env node\r\nimport { openDatabase } from 'millpond';\r\n" +
        "import { compat as compat_ } from 'millpond/compat';\r\nconst compat = 1;\r\n" +
        'export const db = compat_(await openDatabase(`sqlite:${`a.db`}`));\r\nconsole.log(compat);\r\n',
    );
  });

  test('leaves what it cannot decide as it is, and tells each place', async () => {
    const lines: Readonly<Record<string, string | undefined>> = {
      'class A { x = find(); }': 'a field of a class cannot wait',
      'class B { constructor() { find(); } }': 'a constructor cannot wait',
      'class C { get x() { return find(); } }': 'a getter cannot wait',
      'class D { static { find(); } }': 'a static block cannot wait',
      'function* e() { yield find(); }': 'a generator cannot wait',
      'function f(x = find()) {}': "a parameter's default cannot wait",
      'const g = [1].filter(() => find());': 'filter() does not wait for its callback: write a loop',
      'const h = [1].some(find);': 'some() does not wait for its callback: write a loop',
      'new Promise((done) => done(find()));': 'what makes a promise cannot wait: its faults would be lost',
      'const i = db.prepare("a").iterate();': 'rows one by one are for "for await" alone',
      'db.function("f", () => 1);': 'function() is not there in a pool',
      'db.prepare("a").safeIntegers();': 'safeIntegers() is not there in a pool',
      'db.exec("begin immediate");':
        'a transaction of a pool is a function: db.transaction(async () => { … })',
      'db.pragma("cache_size = 1");': 'a pragma for every connection is an option: docs/configuration.md',
      'somebodyElses(db);':
        'what is called here is not in these files, and gets a connection that is waited for',
      'const j = (x: any) => x.findAll();':
        'findAll() gives a promise in these files: if this is that one, it is to be awaited',
      'const n = (x: any) => x.prepare("a").get();':
        'if this is a connection, say so where its name is declared: it is not known here',
      'const k = (x: unknown): x is 1 => !!find();': 'a type predicate cannot wait',
      'const l = find()?.a.b; const m = maybe?.all().length;':
        'a chain with ?. goes on behind what must be waited for',
      'expect(() => find()).toThrow();': 'expect() does not wait for its callback',
    };
    for (const [line, message] of Object.entries(lines)) {
      const before =
        "import Database from 'better-sqlite3';\nconst db = new Database('a.db');\n" +
        "const maybe = Math.random() > 2 ? undefined : db.prepare('b');\n" +
        "export const find = (): any => db.prepare('a').get();\n" +
        `export const repo = { findAll: () => find() };\n${line}\n`;
      const moved = await moveToPool(new Map([['a.ts', before]]));
      expect(
        moved.byHand.map((one) => [one.line, one.message]),
        line,
      ).toEqual([[6, message]]);
    }
  });

  test('lists functions that are called by others, and calls that may be meant', async () => {
    const moved = await moveToPool(
      new Map([
        [
          'a.ts',
          `${HEAD}export const routes = (app: any, db: Database) => {
  app.get('/', (c: any) => c.json(db.prepare('a').all()));
  app.use({ handler: () => db.prepare('a').get() });
};
export const repo = (db: Database) => ({ get: () => db.prepare('a').get() });
export const f = (x: any) => x.get();
`,
        ],
      ]),
    );
    expect(moved.byHand).toEqual([]);
    expect(moved.look.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '3 get() gives a promise in these files: if this is that one, it is to be awaited',
      '3 this function gives a promise now: does who calls it wait, and see when it rejects?',
      '4 this function gives a promise now: does who calls it wait, and see when it rejects?',
      '7 get() gives a promise in these files: if this is that one, it is to be awaited',
    ]);
  });

  test('leaves promises alone that somebody takes care of already', async () => {
    const before = `import type { CompatDatabase } from 'millpond/compat';
export async function f(db: CompatDatabase, ids: number[]) {
  const get = db.prepare('a');
  await Promise.all([get.get(1), get.get(2)]);
  await Promise.all(ids.map((id) => get.get(id)));
  void get.run(1);
  return get.all().then((rows) => rows.length);
}
`;
    const moved = await move({ 'a.ts': before });
    expect([moved.files, moved.byHand, moved.look]).toEqual([[], [], []]);
  });

  test('refuses what it cannot read, with its place', async () => {
    const faulty = moveToPool(new Map([['a.ts', 'const a = 1;\nconst = 2;\n']]));
    await expect(faulty).rejects.toThrow(UsageError);
    await expect(faulty).rejects.toThrow('a.ts:2:7: Unexpected token. Nothing was changed.');
  });
});
