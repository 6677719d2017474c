import { join } from 'node:path';
import type { Dialect } from '../sql/index.ts';
import type { Faults } from './migration-faults.ts';

/** The files of one migration, by their names in the folder. */
export interface NamedFiles {
  readonly name: string;
  readonly up: string;
  readonly down: string | undefined;
}

export interface Folder {
  /** As the caller gave it. */
  readonly folder: string;
  /** The names of its SQL files, sorted. */
  readonly files: readonly string[];
  readonly dialect: Dialect;
}

interface ParsedName {
  readonly file: string;
  readonly version: bigint;
  /** Version and name: `0001_users`. */
  readonly stem: string;
  readonly dialect: Dialect | undefined;
  readonly direction: 'up' | 'down';
}

const NAME = /^((\d{1,20})[_-][a-z0-9][a-z0-9_-]{0,199})(?:\.(sqlite|postgres))?(?:\.(up|down))?\.sql$/i;

/** Orders the files of a folder by the number that each begins with. */
export function readNames({ folder, files, dialect }: Folder, faults: Faults): NamedFiles[] {
  const parsed = files.flatMap((file) => parseName(folder, file, faults));
  const own = withoutGeneral(parsed.filter((one) => one.dialect === undefined || one.dialect === dialect));
  const ups = own.filter(({ direction }) => direction === 'up');
  const downs = own.filter(({ direction }) => direction === 'down');
  ups.sort((a, b) => (a.version < b.version ? -1 : 1));
  refuseDuplicates(folder, ups, faults);
  refuseDuplicates(folder, downs, faults);
  for (const { file, stem } of downs) {
    if (!ups.some((up) => up.stem === stem))
      faults.add('missing', `there is no ${stem}.sql that it would undo`, { file: join(folder, file) });
  }
  return ups.map(({ stem, file }) => ({
    name: stem,
    up: file,
    down: downs.find((down) => down.stem === stem)?.file,
  }));
}

function parseName(folder: string, file: string, faults: Faults): ParsedName[] {
  const match = NAME.exec(file);
  if (match === null) {
    faults.add(
      'name',
      'the name must be a number, "_" and words, as in 0001_create_users.sql, with .down before .sql for ' +
        'the way back ' +
        'and .sqlite or .postgres for one engine alone',
      { file: join(folder, file) },
    );
    return [];
  }
  const [, stem, version, engine, direction] = match;
  return [
    {
      file,
      stem: stem!,
      version: BigInt(version!),
      dialect: engine?.toLowerCase() as Dialect | undefined,
      direction: direction?.toLowerCase() === 'down' ? 'down' : 'up',
    },
  ];
}

/** A file for this engine alone replaces the one for all. */
function withoutGeneral(parsed: readonly ParsedName[]): ParsedName[] {
  const special = new Set(parsed.filter((one) => one.dialect !== undefined).map(keyOf));
  return parsed.filter((one) => one.dialect !== undefined || !special.has(keyOf(one)));
}

function keyOf({ stem, direction }: ParsedName): string {
  return `${direction} ${stem}`;
}

function refuseDuplicates(folder: string, parsed: readonly ParsedName[], faults: Faults): void {
  const byVersion = new Map<bigint, string>();
  for (const { version, file } of parsed) {
    const other = byVersion.get(version);
    if (other === undefined) byVersion.set(version, file);
    else
      faults.add('duplicate', `it has the same number as ${other}: nobody can say which comes first`, {
        file: join(folder, file),
      });
  }
}
