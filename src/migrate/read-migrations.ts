import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dialect } from '../sql/index.ts';
import { JOURNAL, readJournal } from './read-journal.ts';
import { readNames, type NamedFiles } from './read-names.ts';
import { Faults } from './migration-faults.ts';
import type { Migration } from './migration.ts';
import { readProgram } from './read-program.ts';
import { checksumOf, readText } from './read-text.ts';

/** Enough for a migration each day for decades; a folder of more is another folder. */
const MAX_FILES = 20_000;

/**
 * The migrations of a folder, in their order: `0001_name.sql` with `0001_name.down.sql`, or what drizzle-kit
 * wrote there, told by its journal.
 * @throws MigrationError with every fault of every file
 */
export async function readMigrations(folder: string, dialect: Dialect): Promise<Migration[]> {
  const faults = new Faults();
  const files = await listFiles(folder, faults);
  const hasJournal = existsSync(join(folder, JOURNAL));
  const named = hasJournal
    ? await readJournal({ folder, files, dialect }, faults)
    : readNames({ folder, files, dialect }, faults);
  const migrations: Migration[] = [];
  for (const one of named) {
    const migration = await readMigration(folder, one, { dialect, faults });
    if (migration !== undefined) migrations.push(migration);
  }
  faults.throwIfAny();
  return migrations;
}

async function listFiles(folder: string, faults: Faults): Promise<string[]> {
  let names: string[] = [];
  try {
    names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.sql')).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such folder' : `it cannot be read (${code ?? 'unknown error'})`;
    faults.add('file', `${reason}. Migrations are read from there; "millpond migrate new" makes the first`, {
      file: folder,
    });
  }
  if (names.length > MAX_FILES)
    faults.add('file', `it has ${names.length} files; allowed: ${MAX_FILES}`, { file: folder });
  faults.throwIfAny();
  return names;
}

async function readMigration(
  folder: string,
  { name, up, down }: NamedFiles,
  { dialect, faults }: { readonly dialect: Dialect; readonly faults: Faults },
): Promise<Migration | undefined> {
  const text = await readText(folder, up, faults);
  const downText = down === undefined ? undefined : await readText(folder, down, faults);
  if (text === undefined) return undefined;
  const program = readProgram({ file: join(folder, up), text, dialect }, faults);
  return {
    name,
    checksum: checksumOf(text),
    up: program,
    down:
      downText === undefined
        ? undefined
        : readProgram({ file: join(folder, down!), text: downText, dialect }, faults),
  };
}
