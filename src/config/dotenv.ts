import { parseEnv } from 'node:util';
import type { Problems } from './problems.ts';
import { readTextFile } from './text-file.ts';

/** One variable and where it was set: `environment`, `.env` or `.env.local`. */
interface Variable {
  readonly value: string;
  readonly source: string;
}

export type Variables = ReadonlyMap<string, Variable>;

/**
 * The environment, and below it `.env.local`, and below that `.env`, from `directory`. Nothing is written
 * into `process.env`: what belongs to this database stays here.
 */
export async function loadVariables(
  env: NodeJS.ProcessEnv,
  directory: string,
  problems: Problems,
): Promise<Variables> {
  const variables = new Map<string, Variable>();
  const add = (values: NodeJS.Dict<string>, source: string): void => {
    for (const [name, value] of Object.entries(values))
      if (value !== undefined) variables.set(name, { value, source });
  };
  for (const file of ['.env', '.env.local']) {
    const text = await readTextFile(directory, file, problems);
    if (text !== undefined) add(parseEnv(text), file);
  }
  add(env, 'environment');
  return variables;
}
