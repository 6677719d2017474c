import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { dialectOf } from './address.ts';
import { chooseAddresses, readAddresses, type Location } from './addresses.ts';
import { buildConfig } from './build-config.ts';
import { readConfigFile } from './config-file.ts';
import { checkTogether } from './contradictions.ts';
import { loadVariables, type Variables } from './dotenv.ts';
import { findMisspeltAddress, readEnvironment } from './environment.ts';
import { readOptionsObject } from './given-options.ts';
import { EMPTY_LAYER, type Layer } from './layer.ts';
import { mergeLevels, type Merged } from './merge.ts';
import type { DatabaseOptions } from './options.ts';
import { Problems } from './problems.ts';
import type { ResolvedDatabaseConfig } from './resolved.ts';
import { MEMORY_PATH } from './sqlite-url.ts';
import { suggest } from './suggest.ts';

export interface ConfigRequest {
  /** What code says: an address, or options. */
  readonly given?: string | DatabaseOptions | undefined;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Where `.env` and the configuration file are, and where relative paths begin. @default process.cwd() */
  readonly cwd?: string | undefined;
}

const MAIN = 'main';

/**
 * One database's configuration from all its sources: code over environment over file over defaults.
 * @throws ConfigError with every fault of every source.
 */
export async function resolveDatabaseConfig(request: ConfigRequest = {}): Promise<ResolvedDatabaseConfig> {
  const directory = resolve(request.cwd ?? process.cwd());
  const problems = new Problems();
  const variables = await loadVariables(request.env ?? process.env, directory, problems);
  const name = nameOf(request.given);
  // An unregistered database is configured like 'main'.
  const section = name === false ? MAIN : name;
  const code = readCode(request.given, problems);
  const environment = readEnvironment(variables, section === MAIN, problems);
  const nearest = chooseAddresses([code, environment])?.primary;
  const dialect = nearest && dialectOf(nearest.url);
  const file = await readConfigFile(directory, { name: section, dialect, variables, problems });

  const layers = [code, environment, file.layer];
  const chosen = chooseAddresses(layers);
  // A file that could not be read may hold the address.
  if (chosen === undefined && !problems.hasUnreadFile)
    reportNoAddress(section, { file, variables }, problems);
  const location = chosen && readAddresses(chosen, directory, problems);
  const levels = layers.map(({ settings }, level) =>
    level === location?.level ? [...settings, ...location.settings] : settings,
  );
  const merged = mergeLevels(levels, circumstancesOf(location, variables), problems);
  const initScript = await findInitScript(merged, { directory, location }, problems);
  if (location !== undefined) checkTogether(merged, location.path, problems);
  problems.throwIfAny();
  return buildConfig({ name, location: location!, merged, initScript, directory });
}

function readCode(given: unknown, problems: Problems): Layer {
  if (given === undefined) return EMPTY_LAYER;
  const options = typeof given === 'string' ? { url: given } : given;
  return readOptionsObject(options, { source: 'options', prefix: '', takesName: true }, problems);
}

/** A name that is wrong is reported with the other options; until then it counts as 'main'. */
function nameOf(given: unknown): string | false {
  const name: unknown =
    typeof given === 'object' && given !== null ? (given as DatabaseOptions).name : undefined;
  return typeof name === 'string' || name === false ? name : MAIN;
}

function circumstancesOf(
  location: Location | undefined,
  variables: Variables,
): Parameters<typeof mergeLevels>[1] {
  return {
    dialect: location?.dialect ?? 'sqlite',
    production: variables.get('NODE_ENV')?.value === 'production',
    cores: availableParallelism(),
    inMemory: location?.path === MEMORY_PATH,
  };
}

function reportNoAddress(
  name: string,
  { file, variables }: { file: { file: string | undefined; names: readonly string[] }; variables: Variables },
  problems: Problems,
): void {
  const place = file.file ?? 'config/database.yaml';
  const origin = { key: 'url', source: 'options' };
  if (name === MAIN) {
    const misspelt = findMisspeltAddress(variables);
    const hint = misspelt === undefined ? '' : `; ${misspelt.name} is set: did you mean ${misspelt.meant}?`;
    problems.add(origin, `is nowhere: give a database URL in code, in DATABASE_URL, or in ${place}${hint}`);
    return;
  }
  const meant = suggest(name, file.names);
  const known = file.names.length === 0 ? '' : `, which has ${file.names.join(', ')}`;
  const hint = meant === undefined || meant === name ? '' : `; did you mean "${meant}"?`;
  problems.add(
    origin,
    `of "${name}" is nowhere: give a database URL in code, or under databases in ${place}${known}${hint}`,
  );
}

/**
 * The script's absolute path, if there is one. Its existence is checked now, not only when the database is
 * new one day.
 */
async function findInitScript(
  { values, originOf }: Merged,
  { directory, location }: { directory: string; location: Location | undefined },
  problems: Problems,
): Promise<string | undefined> {
  if (values.initScript === undefined || location?.dialect === 'postgres') return undefined;
  const path = resolve(directory, values.initScript);
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isFile)
    problems.add(
      originOf('initScript'),
      `is ${JSON.stringify(values.initScript)}; there is no such file in ${directory}`,
    );
  return path;
}
