import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** `docs/api` is written by `npm run docs`. */
const PAGES = globSync(['*.md', '{bench,docs,examples}/**/*.md'], { cwd: ROOT }).filter(
  (path) => !path.includes('node_modules') && !path.startsWith(join('docs', 'api')),
);
const FENCED = /^```[\s\S]*?^```$/gm;

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Without examples of code: what looks like a link there is none. */
const proseOf = (page: string): string => read(page).replaceAll(FENCED, '');

/** As a forge makes them from headings. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

test.each(PAGES)('every link of %s to a file or a heading leads somewhere', (page) => {
  const links = [...proseOf(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, link]) => link!);
  expect(links.filter((link) => isBroken(page, link))).toEqual([]);
});

/** `pool/` and `database/create-database.ts` are said from where the reader stands: in `src`. */
const STANDPOINTS = ['', 'src'];
const FOLDERS = /^(?:src|test|bench|docs|examples|native|scripts|\.ci)\//;
const SOURCE_FILE = /^[a-z]+\/[\w-]+\.ts$/;

function isThere(page: string, path: string): boolean {
  return [...STANDPOINTS, dirname(page)].some((from) => globSync(path, { cwd: join(ROOT, from) }).length > 0);
}

/** Of the repository, and of the program that the page belongs to. */
function scriptsOf(page: string): string[] {
  const packages = ['package.json', join(dirname(page), 'package.json')];
  return packages
    .filter((path) => existsSync(join(ROOT, path)))
    .flatMap((path) => Object.keys((JSON.parse(read(path)) as { scripts: object }).scripts));
}

describe.each(PAGES)('%s', (page) => {
  test('names no file or folder that is not there', () => {
    const named = [...proseOf(page).matchAll(/`([\w./*-]+)`/g)].map(([, path]) => path!);
    const paths = named.filter((path) => FOLDERS.test(path) || SOURCE_FILE.test(path));
    expect(paths.filter((path) => !path.startsWith('docs/api') && !isThere(page, path))).toEqual([]);
  });

  test('names no script that npm does not know', () => {
    const named = [...read(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name!);
    const known = scriptsOf(page);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

test('docs/README.md leads to every page', () => {
  const guides = globSync('docs/*.md', { cwd: ROOT }).filter((path) => path !== join('docs', 'README.md'));
  const contents = read('docs/README.md');
  expect(guides.filter((path) => !contents.includes(`](${relative('docs', path)})`))).toEqual([]);
});

test('README.md names every door of the package', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: object };
  const doors = Object.keys(exports).filter((door) => door !== './package.json');
  const page = read('README.md');
  expect(doors.filter((door) => !page.includes(`\`${join('millpond', door)}\``))).toEqual([]);
});
