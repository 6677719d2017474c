import type { Setting } from './layer.ts';
import { showKey, showValue, type Origin, type Problems } from './problems.ts';
import { OPTION_NAMES, RULES, type OptionName } from './schema.ts';
import type { UrlParameter } from './sqlite-url.ts';
import { readText, type BareUnit } from './text-value.ts';
import { unknownKey } from './unknown-key.ts';

export type Dialect = 'sqlite' | 'postgres';

/** An option as YAML and URL parameters call it. */
export interface TextName {
  readonly option: OptionName;
  readonly unit: BareUnit;
}

const SQLITE_ONLY: readonly OptionName[] = [
  'durability',
  'initScript',
  'busyTimeoutMs',
  'inlineReads',
  'inlineBudgetMs',
];

/** Shorter names, with the units that configuration files of job schedulers on SQLite have always had. */
const SHORT_NAMES: Readonly<Record<string, TextName>> = {
  pool_size: { option: 'pool.max', unit: 'ms' },
  pool_timeout: { option: 'pool.acquireTimeoutMs', unit: 's' },
  busy_timeout: { option: 'busyTimeoutMs', unit: 'ms' },
  cache_size: { option: 'sqlite.cacheSizeKiB', unit: 'pages' },
};

/** Every name that the database's section of a YAML file and the parameters of its URL may have. */
export const TEXT_NAMES: Readonly<Record<Dialect, ReadonlyMap<string, TextName>>> = {
  sqlite: new Map(allNames()),
  postgres: new Map(allNames().filter(([, { option }]) => !isSqliteOnly(option))),
};

/** `pool.maxOverflow` → `pool_max_overflow`, `sqlite.cacheSizeKiB` → `cache_size_kib`; also `postgres.`. */
export function toTextName(option: OptionName): string {
  const words = option.replace(/^(?:sqlite|postgres)\./, '').replace('KiB', 'Kib');
  return words
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replace('.', '_')
    .toLowerCase();
}

/** Reads the parameters of a URL that are options. */
export function readParameters(
  parameters: readonly UrlParameter[],
  place: Origin & { readonly dialect: Dialect; readonly alsoKnown: readonly string[] },
  problems: Problems,
): Setting[] {
  const names = TEXT_NAMES[place.dialect];
  return parameters.flatMap(([name, text]) => {
    const origin = { key: `${place.key}?${showKey(name)}`, source: place.source };
    const known = names.get(name);
    if (known !== undefined) return readSetting(known, { ...origin, text, shown: showValue(text) }, problems);
    problems.add(origin, unknownKey(name, [...names.keys(), ...place.alsoKnown], 'a parameter of this URL'));
    return [];
  });
}

/** Reads one option's text: the setting, or nothing and a problem. */
export function readSetting(
  { option, unit }: TextName,
  { key, source, text, shown }: Origin & { readonly text: string; readonly shown: string },
  problems: Problems,
): Setting[] {
  const checked = readText(RULES[option], { text, unit, shown });
  if ('value' in checked) return [{ option, value: checked.value, key, source }];
  problems.add({ key, source }, checked.fault);
  return [];
}

/**
 * True for what PostgreSQL has no use for: it is left out there, so that one set of options fits both
 * engines.
 */
export function isSqliteOnly(option: OptionName): boolean {
  return option.startsWith('sqlite.') || SQLITE_ONLY.includes(option);
}

function allNames(): [string, TextName][] {
  const derived = OPTION_NAMES.map((option): [string, TextName] => [
    toTextName(option),
    { option, unit: 'ms' },
  ]);
  return [...derived, ...Object.entries(SHORT_NAMES)];
}
