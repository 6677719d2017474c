import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobAction } from '../service/store.ts';

/** What a job does: statements that commit together. */
export const ACTION_TEXTS: Readonly<Record<JobAction, readonly string[]>> = {
  'refresh-trending': ['lock_trending', 'clear_trending', 'fill_trending'],
  'count-check-ins': ['count_check_ins'],
  'forget-old-runs': ['forget_old_runs', 'forget_old_counts'],
};

export type Dialect = 'sqlite' | 'postgres';

const FOLDER = fileURLToPath(new URL('../../sql', import.meta.url));
/** Files for both engines have no dot before their ending. */
const FILES = { sqlite: '*/{+([!.]),*.sqlite}.sql', postgres: '*/{+([!.]),*.postgres}.sql' } as const;
const NAMED = /^-- name: (\w+).*\n(?:--.*\n)*([^]*?);\n(?=\n-- name:|\n*$)/gmv;

/**
 * The texts of the same files for those who use them without millpond, by name. Nothing is checked: it reads what
 * this folder holds.
 */
export function readSqlTexts(dialect: Dialect): (name: string) => string {
  const texts = new Map<string, string>();
  for (const file of globSync(FILES[dialect], { cwd: FOLDER })) {
    for (const [, name, text] of readFileSync(join(FOLDER, file), 'utf8').matchAll(NAMED)) {
      if (name !== undefined && text !== undefined) texts.set(name, text);
    }
  }
  return (name) => {
    const text = texts.get(name);
    if (text === undefined) throw new Error(`BUG: no SQL is called "${name}" for ${dialect}`);
    return text;
  };
}
