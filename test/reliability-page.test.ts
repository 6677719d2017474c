import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs', 'reliability.md'), 'utf8');

/** Written in a row of the table: what goes wrong, and the files that try it. */
interface Row {
  readonly id: string;
  readonly paths: readonly string[];
}

const rows: Row[] = page.split('\n').flatMap((line) => {
  const cells = line.split(' | ');
  const id = /^\| (C\d\d) \|/.exec(line)?.[1];
  return id === undefined || cells.length < 5 ? [] : [{ id, paths: pathsIn(cells[2]!) }];
});
const promises = page.split('\n').filter((line) => line.startsWith('| **B'));

function pathsIn(text: string): string[] {
  return [...text.matchAll(/`((?:src|test)\/[^`]+)`/g)].map((match) => match[1]!);
}

/** The text of a file, or of all tests in a folder. */
function read(path: string): string {
  const full = join(ROOT, path);
  if (!statSync(full).isDirectory()) return readFileSync(full, 'utf8');
  return globSync('**/*.ts', { cwd: full })
    .map((name) => readFileSync(join(full, name), 'utf8'))
    .join('\n');
}

/** The ids in names of tests: what stands in quotes, and not in comments. */
function idsInNames(text: string): string[] {
  const quoted = text.match(/(['"`])(?:(?!\1)[^\n])*\bC\d\d\b(?:(?!\1)[^\n])*\1/g) ?? [];
  return quoted.flatMap((name) => name.match(/\bC\d\d\b/g) ?? []);
}

describe('docs/reliability.md', () => {
  test('has a row for each fault', () => {
    const all = Array.from({ length: 77 }, (_, index) => `C${String(index + 1).padStart(2, '0')}`);
    expect(rows.map(({ id }) => id)).toEqual(all);
  });

  test.each(rows)('tells the truth of $id: each of its files tries it', ({ id, paths }) => {
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      // A script that is run by hand says it in its first comment.
      const ids = path.endsWith('.test.ts') ? idsInNames(read(path)) : read(path).match(/\bC\d\d\b/g);
      expect(ids, path).toContain(id);
    }
  });

  test('has a row for each promise, and the files that guard it are there', () => {
    expect(promises.map((line) => /\*\*(B\d+)/.exec(line)![1])).toEqual(
      Array.from({ length: 20 }, (_, index) => `B${index + 1}`),
    );
    for (const line of promises) {
      expect(pathsIn(line), line.slice(0, 20)).not.toEqual([]);
      for (const path of pathsIn(line)) expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });

  test('knows every fault that a test is named after', () => {
    const tests = globSync('{src,test}/**/*.test.ts', { cwd: ROOT });
    const ids = new Set(tests.flatMap((path) => idsInNames(readFileSync(join(ROOT, path), 'utf8'))));
    expect([...ids].filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
  });
});
