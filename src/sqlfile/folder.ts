import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { SqlFileError, UsageError, type SqlFileProblem } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { toCamelCase } from './camel-case.ts';
import type { QueryDefinition } from './definition.ts';
import { isForbiddenName } from './name-line.ts';
import { parseSqlFile } from './parse-file.ts';
import { SourceText } from './source-text.ts';

const MOST_FILES = 10_000;
const MOST_DEPTH = 32;
/** Of one file. SQL that people write is far shorter, and reading a longer one would delay the start. */
const MOST_BYTES = 4_000_000;
const FOLDER_NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u;

/** A query and where it comes from. */
export interface SqlQuery {
  /** The folders above its file, as callers write them. */
  readonly namespace: readonly string[];
  readonly definition: QueryDefinition;
  readonly source: SourceText;
}

/** `init.sql`: what creates the first tables. */
export interface InitScript {
  readonly dialect: Dialect | undefined;
  readonly source: SourceText;
}

export interface SqlFolder {
  readonly queries: readonly SqlQuery[];
  readonly initScripts: readonly InitScript[];
}

/** A file of SQL that is already in memory. */
export interface SqlSource {
  /** For messages, and for the dialect in its name: `sql/jobs/list.postgres.sql`. */
  readonly file: string;
  /** The folders above it, as they are written. */
  readonly folders: readonly string[];
  readonly text: string;
}

/** `jobs.getJobById`: how a query appears in events, logs and messages. */
export function fullName({ namespace, definition }: Pick<SqlQuery, 'namespace' | 'definition'>): string {
  return [...namespace, definition.name].join('.');
}

/**
 * Reads a file, or a folder with the folders in it, each of which is a namespace. Nothing outside of the
 * folder is read, whatever symbolic links say.
 * @throws SqlFileError listing every fault of every file
 * @throws UsageError where there is no such file or folder
 */
export async function readSqlFolder(path: string): Promise<SqlFolder> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(`There is no file or folder of SQL at ${path}.`, { cause: error });
  });
  const reader = new FolderReader(await realpath(path));
  if (found.isDirectory()) await reader.readFolder(path, []);
  else await reader.readFile(path, []);
  return reader.collected.checked();
}

/**
 * The same for files in memory.
 * @throws SqlFileError
 */
export function readSqlSources(sources: readonly SqlSource[]): SqlFolder {
  const collected = new Collected();
  for (const { file, folders, text } of sources) collected.take(new SourceText(file, text), folders);
  return collected.checked();
}

/** What was found so far. */
class Collected {
  readonly queries: SqlQuery[] = [];
  readonly initScripts: InitScript[] = [];
  readonly problems: SqlFileProblem[] = [];

  take(source: SourceText, folders: readonly string[]): void {
    const match = /^(.*?)(?:\.(sqlite|postgres))?\.[^.]*$/s.exec(basename(source.file));
    const [name, dialect] = [match?.[1], match?.[2] as Dialect | undefined];
    if (folders.length === 0 && name === 'init' && !/^\s*--\s*name\s*:/m.test(source.text)) {
      this.initScripts.push({ dialect, source });
      return;
    }
    const { definitions, problems } = parseSqlFile(source);
    this.problems.push(...problems);
    const namespace = folders.map(toCamelCase);
    for (const definition of definitions) {
      if (dialect !== undefined && definition.dialect !== undefined && definition.dialect !== dialect) {
        this.problems.push(source.problem(`The file's name says it is for ${dialect}.`, definition.offset));
      }
      const marked = dialect === undefined ? definition : { ...definition, dialect };
      this.queries.push({ namespace, definition: marked, source });
    }
  }

  /** @throws SqlFileError */
  checked(): SqlFolder {
    const problems = [...this.problems, ...duplicates(this.queries)];
    if (problems.length > 0) throw new SqlFileError(problems);
    return { queries: this.queries, initScripts: this.initScripts };
  }
}

class FolderReader {
  readonly collected: Collected = new Collected();
  readonly #root: string;
  #files = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async readFolder(path: string, namespace: readonly string[]): Promise<void> {
    const entries = await readdir(path, { withFileTypes: true });
    entries.sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const entry of entries) {
      const inside = withSlashes(join(path, entry.name));
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) await this.#readNamespace(inside, [...namespace, entry.name]);
      else if (entry.isSymbolicLink()) await this.#readLink(inside, namespace);
      else if (entry.name.endsWith('.sql')) await this.readFile(inside, namespace);
    }
  }

  async readFile(path: string, namespace: readonly string[]): Promise<void> {
    const { size, isRegular } = await stat(path).then((found) => ({
      size: found.size,
      isRegular: found.isFile(),
    }));
    this.#files += 1;
    if (!isRegular) return this.#fault(path, 'This is not a regular file.');
    if (size > MOST_BYTES) return this.#fault(path, `A file has at most ${MOST_BYTES} bytes, not ${size}.`);
    if (this.#files > MOST_FILES) {
      if (this.#files === MOST_FILES + 1) this.#fault(path, `A folder has at most ${MOST_FILES} files.`);
      return;
    }
    const text = decode(await readFile(path));
    if (text === undefined) return this.#fault(path, 'The file is not UTF-8.');
    this.collected.take(new SourceText(withSlashes(path), text), namespace);
  }

  async #readNamespace(path: string, namespace: readonly string[]): Promise<void> {
    const name = namespace.at(-1)!;
    if (!FOLDER_NAME.test(name) || isForbiddenName(toCamelCase(name))) {
      return this.#fault(path, "A folder's name is a namespace: letters, digits, _ and -, a letter first.");
    }
    if (namespace.length > MOST_DEPTH) return this.#fault(path, `Folders are at most ${MOST_DEPTH} deep.`);
    return this.readFolder(path, namespace);
  }

  async #readLink(path: string, namespace: readonly string[]): Promise<void> {
    const target = await realpath(path).catch(() => undefined);
    if (target === undefined) return this.#fault(path, 'The symbolic link leads nowhere.');
    if (target !== this.#root && !target.startsWith(this.#root + sep)) {
      return this.#fault(path, 'The symbolic link leads out of the folder, so it is not read.');
    }
    if ((await stat(target)).isDirectory()) return this.#fault(path, 'A link to a folder is not followed.');
    if (path.endsWith('.sql')) await this.readFile(path, namespace);
  }

  #fault(file: string, message: string): void {
    this.collected.problems.push({ file: withSlashes(file), line: 1, column: 1, message });
  }
}

/** Two queries of one name and dialect, and queries with the name of a folder. */
function duplicates(queries: readonly SqlQuery[]): SqlFileProblem[] {
  const first = new Map<string, SqlQuery>();
  const folders = new Set(queries.flatMap(({ namespace }) => prefixes(namespace)));
  const problems: SqlFileProblem[] = [];
  for (const query of queries) {
    const { definition, source } = query;
    const key = `${fullName(query)} ${definition.dialect ?? ''}`;
    const other = first.get(key);
    const end = definition.offset + definition.name.length;
    if (other !== undefined) {
      const { line, column } = other.source.placeOf(other.definition.offset);
      const message = `${fullName(query)} is there already: ${other.source.file}:${line}:${column}.`;
      problems.push(source.problem(message, definition.offset, end));
    } else {
      first.set(key, query);
    }
    if (folders.has(fullName(query))) {
      problems.push(source.problem(`${fullName(query)} is a folder too.`, definition.offset, end));
    }
  }
  return problems;
}

function prefixes(namespace: readonly string[]): string[] {
  return namespace.map((_, index) => namespace.slice(0, index + 1).join('.'));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // All that is lost is the decoder's message, which names no place.
    return undefined;
  }
}

function withSlashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}
