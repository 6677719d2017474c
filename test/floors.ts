/**
 * The rules of `src/` that can be read off its text. Each gives its faults as sentences; none means it is
 * kept.
 */

/** A folder imports only from folders on lower floors. The same table stands in ARCHITECTURE.md. */
const FLOORS: Readonly<Record<string, number>> = {
  errors: 0,
  stack: 0,
  sql: 1,
  async: 1,
  events: 1,
  config: 1,
  driver: 2,
  sqlfile: 2,
  metrics: 2,
  pool: 3,
  sqlite: 3,
  postgres: 3,
  codegen: 3,
  monitor: 3,
  replication: 4,
  transaction: 4,
  database: 5,
  queries: 6,
  drizzle: 6,
  kysely: 6,
  cache: 6,
  compat: 6,
  migrate: 6,
  hono: 7,
  testing: 7,
  opening: 7,
  cli: 8,
  'index.ts': 9,
};

/**
 * Names that say nothing: a helper lives beside its only user, and with a second one it earns a real name.
 */
const EMPTY_NAMES = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'shared',
  'types',
  'misc',
  'lib',
]);

const MAX_FILE_LINES = 400;
const USUAL_FILE_LINES = 300;
const MAX_COLUMNS = 110;

/** One file under `src/`. */
export interface SourceFile {
  /** With slashes, relative to `src/`: `pool/lease.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Imports (of types too) go down, never up or sideways, and only through a folder's door. */
export function importFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const here = folderOf(file.path);
    if (FLOORS[here] === undefined) return [`${file.path}: the folder "${here}" has no floor`];
    return importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => importFault(file, here, specifier))
      .filter((fault) => fault !== undefined);
  });
}

function importFault(file: SourceFile, here: string, specifier: string): string | undefined {
  const target = new URL(specifier, `file:///src/${file.path}`).pathname;
  const says = `${file.path} imports ${specifier}`;
  // A test may use what the tests share; nothing else leaves src/.
  if (!target.startsWith('/src/')) return isTest(file.path) ? undefined : `${says}: outside src/`;
  const path = target.slice('/src/'.length);
  const there = folderOf(path);
  if (there === here) return path === `${here}/index.ts` ? `${says}: its own door` : undefined;
  const [floorHere, floorThere] = [FLOORS[here]!, FLOORS[there]];
  if (floorThere === undefined) return `${says}: the folder "${there}" has no floor`;
  if (floorThere > floorHere) return `${says}: up, from floor ${floorHere} to ${floorThere}`;
  if (floorThere === floorHere) return `${says}: sideways, both are on floor ${floorHere}`;
  return path === `${there}/index.ts` ? undefined : `${says}: not through ${there}/index.ts`;
}

/** Packages that are nothing but a data structure: using one ties a folder to nothing outside. */
const STRUCTURES = new Set(['lru-cache']);

/** Each package from outside has one owner: a folder, and for SQLite's binding even one file. */
export function ownerFaults(files: readonly SourceFile[]): string[] {
  const owners = new Map<string, Set<string>>();
  for (const file of files.filter(({ path }) => !isTest(path))) {
    for (const specifier of importsOf(file)) {
      const isBinding = specifier === 'node:sqlite';
      if (!isBinding && (/^(\.|node:)/.test(specifier) || STRUCTURES.has(specifier))) continue;
      const owner = isBinding ? file.path : folderOf(file.path);
      owners.set(specifier, (owners.get(specifier) ?? new Set()).add(owner));
    }
  }
  return [...owners]
    .filter(([, names]) => names.size > 1)
    .map(([specifier, names]) => `${specifier} is imported by ${[...names].sort().join(' and ')}`);
}

/** An `index.ts` says what its folder offers, name by name, and does nothing else. Every folder has one. */
export function doorFaults(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const folders = new Set(files.map(({ path }) => folderOf(path)).filter((folder) => folder !== 'index.ts'));
  const doorless = [...folders].filter((folder) => !paths.has(`${folder}/index.ts`));
  const reexports = /^(\s*export\s+(type\s+)?\{[^}]*\}\s+from\s+'[^']+';)*\s*$/;
  return [
    ...doorless.map((folder) => `${folder}/ has no index.ts`),
    ...files
      .filter(({ path, text }) => path.endsWith('index.ts') && !reexports.test(withoutComments(text)))
      .map(({ path }) => `${path} holds more than named re-exports`),
    ...files
      .filter(({ text }) => /^\s*export\s+(type\s+)?\*/m.test(withoutComments(text)))
      .map(({ path }) => `${path} has "export *"`),
  ];
}

export function nameFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const empty = path.split('/').find((part) => EMPTY_NAMES.has(part.replace(/\..*$/, '')));
    return empty === undefined ? [] : [`${path}: "${empty}" says nothing about what it holds`];
  });
}

export function sizeFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = linesOf(text);
    const wide = lines.flatMap((line, index) =>
      line.length > MAX_COLUMNS
        ? [`${path}:${index + 1} is ${line.length} columns wide (${MAX_COLUMNS})`]
        : [],
    );
    if (lines.length > MAX_FILE_LINES)
      wide.push(`${path} has ${lines.length} lines (${MAX_FILE_LINES}): split it`);
    return wide;
  });
}

/** Not faults: files that have grown to where one should ask whether they are two. */
export function sizeWarnings(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, count: linesOf(text).length }))
    .filter(({ count }) => count > USUAL_FILE_LINES && count <= MAX_FILE_LINES)
    .map(
      ({ path, count }) => `${path} has ${count} lines: is it two files? (usual: up to ${USUAL_FILE_LINES})`,
    );
}

/** Reads a page's `| floor | folders |` table: each folder in backticks, with its floor. */
export function floorTable(markdown: string): Record<string, number> {
  const table: Record<string, number> = {};
  const [, body] = /^\| *floor *\| *folders *\|.*\n((?:\|.*(?:\n|$))*)/im.exec(markdown) ?? [];
  for (const row of (body ?? '').matchAll(/^\| *(\d+) *\|([^|]*)\|/gm)) {
    for (const [, folder] of row[2]!.matchAll(/`([\w.-]+)\/?`/g)) table[folder!] = Number(row[1]);
  }
  return table;
}

/** What `floorTable` should find: the floors of the folders that exist. */
export function floorsInUse(files: readonly SourceFile[]): Record<string, number> {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  return Object.fromEntries(Object.entries(FLOORS).filter(([folder]) => folders.has(folder)));
}

function folderOf(path: string): string {
  return path.split('/')[0]!;
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

/**
 * Every module that a file names, whatever the form. TypeScript 7 has no parser to ask, and the forms are
 * few.
 */
function importsOf({ text }: SourceFile): string[] {
  const code = withoutComments(text);
  return [
    ...code.matchAll(/^\s*(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!);
}

/** Only comments that begin their line: a `/*` further right may be a string's. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
