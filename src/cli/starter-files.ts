import { STARTER_QUERIES } from './starter-queries.ts';

/** What `millpond init` writes, by path. */
export function starterFiles(version: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(version),
    'tsconfig.json': TSCONFIG,
    'millpond.config.ts': CONFIG,
    'migrations/0001_notes.sqlite.sql': tableOf('integer primary key'),
    'migrations/0001_notes.postgres.sql': tableOf('bigint generated always as identity primary key'),
    'migrations/0001_notes.down.sql': 'drop table notes;\n',
    'sql/notes.sql': QUERIES,
    'src/queries.ts': STARTER_QUERIES,
    'src/main.ts': MAIN,
    'test/notes.test.ts': TEST,
    '.gitignore': 'node_modules/\ndata/\n.env.local\n',
  };
}

function packageJson(version: string): string {
  const manifest = {
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    scripts: {
      start: 'node src/main.ts',
      test: 'node --test',
      migrate: 'millpond migrate up',
      generate: 'millpond generate --migrations migrations --out src/queries.ts',
      check: 'millpond check --migrations migrations --out src/queries.ts && tsc',
    },
    dependencies: { millpond: `^${version}` },
    devDependencies: { '@types/node': '^24.0.0', typescript: '>=5.9.0' },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

const CONFIG = `import { defineConfig } from 'millpond';

// DATABASE_URL wins over this address: with a postgres:// one and "npm install pg" it runs on PostgreSQL.
export default defineConfig({
  url: 'sqlite:data/app.db',
  migrationsFolder: 'migrations',
});
`;

const TSCONFIG = `{
  "compilerOptions": {
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "target": "esnext",
    "module": "nodenext",
    "types": ["node"],
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true
  },
  "include": ["src", "test", "millpond.config.ts"]
}
`;

function tableOf(key: string): string {
  return `create table notes (
  id ${key},
  body text not null,
  created_at text not null
);
`;
}

const QUERIES = `-- name: list_notes
-- The newest first.
select id, body, created_at from notes order by id desc limit :limit;

-- name: add_note<!
insert into notes (body, created_at) values (:body, :created_at) returning id;
`;

const MAIN = `import { openDatabase } from 'millpond';
import { createQueries } from './queries.ts';

await using db = await openDatabase({ autoMigrate: true });
const queries = createQueries(db);

const id = await queries.addNote({ body: 'started', created_at: new Date().toISOString() });
console.log(\`This is start \${id}. The last five:\`);
console.table(await queries.listNotes({ limit: 5 }));
`;

/** Not in the text of `TEST`, where it would read like an import of this file. */
const QUERIES_FROM_TEST = '../src/queries.ts';

const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from 'millpond';
import { createQueries } from '${QUERIES_FROM_TEST}';

test('a note that was added is listed first', async () => {
  const options = { name: false, autoMigrate: true, migrationsFolder: 'migrations' } as const;
  await using db = await openDatabase('sqlite::memory:', options);
  const queries = createQueries(db);
  for (const body of ['one', 'two']) await queries.addNote({ body, created_at: '2026-01-01' });
  const notes = await queries.listNotes({ limit: 10 });
  assert.deepEqual(notes.map(({ body }) => body), ['two', 'one']);
});
`;
