import { loadParser } from './parse-module.ts';
import { Plan } from './plan.ts';
import { Project } from './project.ts';
import { notesOf, type CodemodNotes } from './report.ts';
import { foreignSigns, rewriteModule } from './rewrite.ts';

/** A file that is different now. */
export interface MovedFile {
  readonly path: string;
  readonly text: string;
}

export interface Moved extends CodemodNotes {
  /** Those that change, and no others. */
  readonly files: readonly MovedFile[];
  /** Functions that became asynchronous. */
  readonly functions: number;
  /** Calls that are awaited now. */
  readonly calls: number;
}

/**
 * Moves code from one synchronous connection, of better-sqlite3 or node:sqlite, to a pool: `millpond/compat`
 * in the place of the connection, `await` before each call, `async` before each function around one, and so
 * on to the functions that call those, within these files. What cannot be decided is left as it is and
 * reported. What was moved already is not changed again.
 * @param sources path → text
 * @throws UsageError where a file cannot be parsed, or the package @babel/parser is not there
 */
export async function moveToPool(sources: ReadonlyMap<string, string>): Promise<Moved> {
  const parse = await loadParser();
  const project = new Project(sources, parse);
  const plan = new Plan(project);
  const signs = foreignSigns(plan);
  const files = project.modules
    .map((module) => ({ path: module.path, text: rewriteModule(plan, module, signs), before: module.text }))
    .filter(({ text, before }) => text !== before)
    .map(({ path, text }) => ({ path, text }));
  // The result must parse: otherwise nothing is returned.
  for (const { path, text } of files) parse(text, path);
  const functions = [...plan.asynchronous].filter((fn) => !fn.type.startsWith('TS')).length;
  return { files, functions, calls: plan.awaited.size + plan.loops.size, ...notesOf(plan) };
}
