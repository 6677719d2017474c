import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MigrationError, UsageError } from '../errors/index.ts';
import { JOURNAL } from './read-journal.ts';

export interface NewMigration {
  /** @default 'migrations' */
  readonly folder?: string | undefined;
  /** What it does, in words: `add users`. */
  readonly name: string;
  /** Also writes the file for the way back. @default true */
  readonly down?: boolean | undefined;
}

const FIRST = '0001';

/**
 * Writes the empty files of a new migration, with the next number. If two people do so at once, both get the
 * same number and learn of it later: only they know whose comes first.
 * @returns the paths of the files
 */
export async function createMigration({
  folder = 'migrations',
  name,
  down = true,
}: NewMigration): Promise<string[]> {
  const words = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 100);
  if (words === '') throw new UsageError('A migration needs a name with letters or digits: what does it do?');
  if (existsSync(join(folder, JOURNAL))) {
    const message =
      'drizzle-kit keeps this folder: write migrations with "drizzle-kit generate", or with "--custom"';
    throw new MigrationError([{ kind: 'journal', file: folder, message }]);
  }
  await mkdir(folder, { recursive: true });
  const stem = `${nextNumber(await readdir(folder))}_${words}`;
  const files = [`${stem}.sql`, ...(down ? [`${stem}.down.sql`] : [])].map((file) => join(folder, file));
  for (const file of files) {
    const way = file.endsWith('.down.sql') ? `undoes ${stem}.sql` : name.trim().replaceAll(/\s+/g, ' ');
    await writeFile(file, `-- ${way}\n`, { flag: 'wx' });
  }
  return files;
}

/** One more than the highest, with as many digits. */
function nextNumber(names: readonly string[]): string {
  const numbers = names.flatMap((name) => /^(\d{1,20})[_-].*\.sql$/i.exec(name)?.[1] ?? []);
  if (numbers.length === 0) return FIRST;
  const highest = numbers.reduce((a, b) => (BigInt(a) < BigInt(b) ? b : a));
  return String(BigInt(highest) + 1n).padStart(highest.length, '0');
}
