/** What `millpond init` writes, by path. */
export function starterFiles(version: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(version),
    'millpond.config.ts': CONFIG,
    'migrations/0001_notes.sql': MIGRATION,
    'migrations/0001_notes.down.sql': 'drop table notes;\n',
    'sql/notes.sql': QUERIES,
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
      generate: 'millpond generate --migrations migrations',
      check: 'millpond check --migrations migrations',
    },
    dependencies: { millpond: `^${version}` },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

const CONFIG = `import { defineConfig } from 'millpond';

// DATABASE_URL wins over the address here: that is how production moves to PostgreSQL.
export default defineConfig({
  url: 'sqlite:data/app.db',
  migrationsFolder: 'migrations',
});
`;

const MIGRATION = `create table notes (
  id integer primary key,
  body text not null,
  created_at text not null default current_timestamp
);
`;

const QUERIES = `-- name: list_notes
-- The newest first.
select id, body, created_at from notes order by id desc limit :limit;

-- name: add_note<!
insert into notes (body) values (:body) returning id;
`;

const MAIN = `import { openDatabase } from 'millpond';
import { loadQueries } from 'millpond/queries';

await using db = await openDatabase({ autoMigrate: true });
const queries = await loadQueries(db, 'sql');

await queries.addNote({ body: \`started at \${new Date().toISOString()}\` });
console.table(await queries.listNotes({ limit: 5 }));
`;

const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from 'millpond';
import { migrate } from 'millpond/migrate';
import { loadQueries } from 'millpond/queries';

test('a note that was added is listed first', async () => {
  await using db = await openDatabase('sqlite::memory:', { name: false, migrationsFolder: 'migrations' });
  await migrate(db, { folder: 'migrations' });
  const queries = await loadQueries(db, 'sql');
  await queries.addNote({ body: 'one' });
  await queries.addNote({ body: 'two' });
  const rows = await queries.listNotes<{ body: string }[]>({ limit: 10 });
  assert.deepEqual(rows.map(({ body }) => body), ['two', 'one']);
});
`;
