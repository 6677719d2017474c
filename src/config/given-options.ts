import type { z } from 'zod';
import { EMPTY_LAYER, type Address, type Layer, type Setting } from './layer.ts';
import { maskUrl } from './mask-url.ts';
import { showKey, showValue, type Origin, type Problems } from './problems.ts';
import { OPTION_NAMES, OTHER_KEYS, RULES, fileSchema, optionsSchema, type OptionName } from './schema.ts';
import { unknownKey } from './unknown-key.ts';

type Keyed = Readonly<Record<string, unknown>>;

/** Where an options object was found. */
export interface Place {
  /** `options`, or the name of a configuration module. */
  readonly source: string;
  /** What its keys begin with in messages: `databases.analytics.`. */
  readonly prefix: string;
  readonly takesName: boolean;
}

/** Checks an options object that came from code, and takes from it what is right. */
export function readOptionsObject(given: unknown, place: Place, problems: Problems): Layer {
  if (!isPlainObject(given)) {
    const key = place.prefix.replace(/\.$/, '') || place.source;
    problems.add(
      { key, source: place.source },
      `is ${showValue(given)}; allowed: an object with options, made by { … }`,
    );
    return EMPTY_LAYER;
  }
  const faulty = checkOptions(given, place, problems);
  const originOf = (key: string): Origin => ({ key: place.prefix + key, source: place.source });
  const addressAt = (key: 'url' | 'writeUrl'): Address | undefined => {
    const url = given[key];
    return typeof url === 'string' && !faulty.has(key) ? { url, ...originOf(key) } : undefined;
  };
  return {
    settings: settingsOf(given, faulty, originOf),
    url: addressAt('url'),
    writeUrl: addressAt('writeUrl'),
    readUrls: readUrlsOf(given, faulty).map((url, index) => ({ url, ...originOf(`readUrls.${index}`) })),
  };
}

/** An object made by `{}` and no class: another one's contents would be overlooked, not refused. */
export function isPlainObject(value: unknown): value is Keyed {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Reports every fault. @returns the names of what is faulty. */
function checkOptions(given: Keyed, place: Place, problems: Problems): Set<string> {
  const faulty = new Set<string>();
  const schema = place.takesName ? optionsSchema : fileSchema;
  for (const issue of schema.safeParse(given).error?.issues ?? [])
    reportIssue(issue, { given, place, faulty }, problems);
  refuseInstances({ given, place, faulty }, problems);
  return faulty;
}

interface Check {
  readonly given: Keyed;
  readonly place: Place;
  readonly faulty: Set<string>;
}

function reportIssue(issue: z.core.$ZodIssue, { given, place, faulty }: Check, problems: Problems): void {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path[0], place.takesName);
    for (const key of issue.keys) {
      const name = [...path, showKey(key)].join('.');
      problems.add({ key: place.prefix + name, source: place.source }, unknownKey(key, known));
    }
    return;
  }
  const name = path.join('.');
  faulty.add(name);
  const value = path.reduce<unknown>((object, key) => (object as Keyed)[key], given);
  problems.add(
    { key: place.prefix + name, source: place.source },
    `is ${shown(path[0], value)}; allowed: ${allowed(path)}`,
  );
}

function refuseInstances({ given, place, faulty }: Check, problems: Problems): void {
  for (const key of ['pool', 'healthCheck', 'replica', 'postgres', 'sqlite'] as const) {
    const group = given[key];
    if (group === undefined || isPlainObject(group) || faulty.has(key)) continue;
    faulty.add(key);
    problems.add(
      { key: place.prefix + key, source: place.source },
      `is ${showValue(group)} of a class; allowed: ${OTHER_KEYS[key]}`,
    );
  }
}

function knownKeys(group: string | undefined, takesName: boolean): string[] {
  if (group !== undefined) {
    const prefix = `${group}.`;
    return OPTION_NAMES.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }
  const others = Object.keys(OTHER_KEYS).filter((key) => takesName || key !== 'name');
  return [...others, ...OPTION_NAMES.filter((name) => !name.includes('.'))];
}

function allowed(path: readonly string[]): string {
  const rule = RULES[path.join('.') as OptionName] as (typeof RULES)[OptionName] | undefined;
  if (rule !== undefined) return rule.allowed;
  if (path[0] === 'readUrls' && path.length > 1) return OTHER_KEYS.url;
  return OTHER_KEYS[path[0] as keyof typeof OTHER_KEYS];
}

function shown(key: string | undefined, value: unknown): string {
  const isAddress = key === 'url' || key === 'writeUrl' || key === 'readUrls';
  return showValue(isAddress && typeof value === 'string' && value !== '' ? maskUrl(value) : value);
}

function settingsOf(given: Keyed, faulty: ReadonlySet<string>, originOf: (key: string) => Origin): Setting[] {
  const settings: Setting[] = [];
  for (const option of OPTION_NAMES) {
    const [group, key] = option.split('.') as [string, string?];
    if (faulty.has(option) || faulty.has(group)) continue;
    const value = key === undefined ? given[group] : (given[group] as Keyed | undefined)?.[key];
    if (value !== undefined) settings.push({ option, value, ...originOf(option) });
  }
  return settings;
}

function readUrlsOf(given: Keyed, faulty: ReadonlySet<string>): string[] {
  const urls = (given.readUrls ?? []) as string[];
  if (faulty.has('readUrls')) return [];
  return urls.filter((_, index) => !faulty.has(`readUrls.${index}`));
}
