import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** The files of a database, by what comes after the name. */
export type Files = Readonly<Partial<Record<'' | '-wal' | '-shm' | '-journal', Buffer>>>;

const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;
export const FOLDED_ROWS = 40;
export const LOGGED_ROWS = 40;

/**
 * A database as a killed process leaves it: some rows in the file, as many more in the log only, one commit
 * each. Row n holds n three times, so that a wrong one shows.
 */
export function makeBase(path: string): Files {
  return make(path, (addRows) => addRows(FOLDED_ROWS + 1, LOGGED_ROWS));
}

/**
 * The same with one changed row in the log, and so without the first page there, which would stand in for a
 * damaged one.
 */
export function makeBaseWithShortLog(path: string): Files {
  return make(path, (_, database) =>
    database.exec(`update rows set text = 'X' || substr(text, 2) where id = 1`),
  );
}

function make(
  path: string,
  fillLog: (addRows: (from: number, count: number) => void, database: DatabaseSync) => void,
): Files {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = 0;
    create table rows (id integer primary key, number int not null, text text not null);
    create index rows_by_number on rows (number);`);
  const insert = database.prepare('insert into rows values (?1, ?1, ?2)');
  const addRows = (from: number, count: number) => {
    for (let id = from; id < from + count; id += 1) insert.run(id, textOf(id));
  };
  addRows(1, FOLDED_ROWS);
  database.exec('pragma wal_checkpoint(truncate)');
  fillLog(addRows, database);
  const files = readFiles(path);
  database.close();
  return files;
}

/** What the text of a row must be. */
export function textOf(id: number): string {
  return `${id} `.repeat(60);
}

export function readFiles(path: string): Files {
  const present = SUFFIXES.filter((suffix) => existsSync(path + suffix));
  return Object.fromEntries(present.map((suffix) => [suffix, readFileSync(path + suffix)]));
}

export function writeFiles(path: string, files: Files): void {
  for (const suffix of SUFFIXES) if (files[suffix] !== undefined) writeFileSync(path + suffix, files[suffix]);
}

/** Which files differ. One that is missing holds as much as an empty one. */
export function difference(before: Files, after: Files): string[] {
  const nothing = Buffer.alloc(0);
  const differs = (suffix: keyof Files) => !(before[suffix] ?? nothing).equals(after[suffix] ?? nothing);
  return SUFFIXES.filter(differs).map((suffix) => (suffix === '' ? 'database' : suffix));
}
