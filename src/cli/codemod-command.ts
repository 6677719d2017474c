import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { UsageError } from '../errors/index.ts';
import { moveToPool, type Moved, type MovedFile } from './codemod/move-to-pool.ts';
import { ExitCode, type CommandResult } from './command.ts';

export interface CodemodFlags {
  /** Says what would change, and writes nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** The same, and exit code 1 where anything would change. @default false */
  readonly check?: boolean | undefined;
}

const MOST_FILES = 5_000;
const MOST_BYTES = 4 * 1024 * 1024;
const SOURCES = /\.[cm]?[jt]sx?$/;
const DECLARATIONS = /\.d\.[cm]?ts$/;
/** Folders that hold what is built from sources, and other people's sources. */
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'coverage', 'out']);

/** `millpond codemod <files or folders…>` */
export async function codemodCommand(paths: readonly string[], flags: CodemodFlags): Promise<CommandResult> {
  const sources = await readSources(paths);
  const moved = await moveToPool(sources);
  const isWritten = flags.dryRun !== true && flags.check !== true;
  if (isWritten) for (const file of moved.files) await replaceFile(file);
  const { files, functions, calls, byHand, look } = moved;
  const isOpen = byHand.length > 0 || (flags.check === true && files.length > 0);
  return {
    json: { written: isWritten, files: files.map(({ path }) => path), functions, calls, byHand, look },
    text: textOf(moved, { isWritten, read: sources.size }),
    exitCode: isOpen ? ExitCode.failed : ExitCode.ok,
  };
}

function textOf(
  { files, functions, calls, byHand, look }: Moved,
  { isWritten, read }: { readonly isWritten: boolean; readonly read: number },
): string {
  const changed = isWritten ? 'changed' : 'would change';
  const places = (notes: Moved['look'], kind: string): string[] =>
    notes.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${kind}: ${message}.`);
  const summary =
    files.length === 0
      ? `Of ${read} files none ${changed}.`
      : `Of ${read} files ${files.length} ${changed}: ${functions} functions are asynchronous now, ` +
        `${calls} calls are awaited.`;
  return [
    ...files.map(({ path }) => `  ${path}`),
    summary,
    ...places(look, 'look'),
    ...places(byHand, 'by hand'),
    ...(byHand.length === 0 ? [] : [`${byHand.length} left to be done by hand; run this again afterwards.`]),
  ].join('\n');
}

async function readSources(paths: readonly string[]): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const known = new Set<string>();
  for (const given of paths) {
    const found = await stat(given).catch((cause: unknown) => {
      throw new UsageError(`There is no file or folder ${given}.`, { cause });
    });
    for (const path of found.isDirectory() ? await sourcesIn(given) : [given]) {
      if (known.has(resolve(path))) continue;
      known.add(resolve(path));
      if (sources.size === MOST_FILES)
        throw new UsageError(
          `There are more than ${MOST_FILES} files: name the folder that holds the sources.`,
        );
      sources.set(path, await readSource(path));
    }
  }
  if (sources.size === 0) throw new UsageError('There are no JavaScript or TypeScript files.');
  return sources;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = relative('.', join(folder, entry.name));
    const isSource = SOURCES.test(entry.name) && !DECLARATIONS.test(entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.'))
      found.push(...(await sourcesIn(path)));
    else if (entry.isFile() && isSource) found.push(path);
  }
  return found;
}

async function readSource(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > MOST_BYTES) throw new UsageError(`${path} has more than ${MOST_BYTES} bytes.`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${path} is not UTF-8. Nothing was changed.`, { cause });
  }
}

/** The new text appears when it is complete, with the rights of the old one. */
async function replaceFile({ path, text }: MovedFile): Promise<void> {
  const { mode } = await stat(path);
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, text, { mode });
  await rename(unfinished, path);
}
