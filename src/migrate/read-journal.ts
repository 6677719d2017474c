import { join } from 'node:path';
import type { Dialect } from '../sql/index.ts';
import type { Faults } from './migration-faults.ts';
import type { Folder, NamedFiles } from './read-names.ts';
import { readText } from './read-text.ts';

/** Where drizzle-kit keeps the order of its migrations. */
export const JOURNAL = 'meta/_journal.json';

const DIALECTS: Readonly<Record<string, Dialect>> = {
  sqlite: 'sqlite',
  turso: 'sqlite',
  postgresql: 'postgres',
};
const TAG = /^[\w][\w.-]{0,199}$/;

interface Entry {
  readonly idx: number;
  readonly tag: string;
}

/** The migrations that drizzle-kit's journal lists, in its order. */
export async function readJournal({ folder, files, dialect }: Folder, faults: Faults): Promise<NamedFiles[]> {
  const file = join(folder, JOURNAL);
  const text = await readText(folder, JOURNAL, faults);
  if (text === undefined) return [];
  const journal = parse(text);
  if (journal === undefined) {
    faults.add(
      'journal',
      'it is no journal of drizzle-kit: an object with "dialect" and a list of "entries"',
      { file },
    );
    return [];
  }
  if (DIALECTS[journal.dialect] !== dialect)
    faults.add(
      'journal',
      `its migrations are written for ${journal.dialect}, and the database is ${dialect}`,
      { file },
    );
  checkEntries(journal.entries, file, faults);
  const listed = new Set(journal.entries.map(({ tag }) => `${tag}.sql`));
  for (const name of files.filter((one) => !listed.has(one) && !isDownOf(one, listed)))
    faults.add('journal', `${JOURNAL} does not list it`, { file: join(folder, name) });
  return journal.entries
    .filter(({ tag }) => TAG.test(tag))
    .map(({ tag }) => ({
      name: tag,
      up: `${tag}.sql`,
      down: files.includes(`${tag}.down.sql`) ? `${tag}.down.sql` : undefined,
    }));
}

function isDownOf(name: string, listed: ReadonlySet<string>): boolean {
  return name.endsWith('.down.sql') && listed.has(name.replace(/\.down\.sql$/, '.sql'));
}

function checkEntries(entries: readonly Entry[], file: string, faults: Faults): void {
  const tags = new Set<string>();
  let last = -1;
  for (const { idx, tag } of entries) {
    const shown = JSON.stringify(tag.slice(0, 60));
    if (!TAG.test(tag))
      faults.add('journal', `the tag ${shown} is no name of a file in this folder`, { file });
    if (tags.has(tag)) faults.add('duplicate', `the tag ${shown} is listed twice`, { file });
    if (idx <= last) faults.add('reordered', `the entry ${shown} has idx ${idx}, behind ${last}`, { file });
    tags.add(tag);
    last = idx;
  }
}

function parse(text: string): { readonly dialect: string; readonly entries: readonly Entry[] } | undefined {
  try {
    const journal = JSON.parse(text) as { dialect?: unknown; entries?: unknown };
    const { dialect, entries } = journal;
    if (typeof dialect !== 'string' || !Array.isArray(entries) || !entries.every(isEntry)) return undefined;
    return { dialect, entries };
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { idx, tag } = value as Partial<Record<keyof Entry, unknown>>;
  return Number.isSafeInteger(idx) && typeof tag === 'string';
}
