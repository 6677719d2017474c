import { suggest } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a variable is read. */
export interface Variable<T> {
  /** What it may be, to end a message: `a whole number from 1 to 65535`. */
  readonly allowed: string;
  /** Undefined where the text is nothing of the kind. */
  readonly read: (text: string) => T | undefined;
  /** The value where the variable is missing. Absent: then that is a fault. */
  readonly fallback?: { readonly value: T };
}

type Read<Rules> = { readonly [Name in keyof Rules]: Rules[Name] extends Variable<infer T> ? T : never };

/**
 * Reads variables, all at once: `readEnvironment({ PORT: variable.integer(1, 65_535, 3_000) })`. An empty one
 * counts as missing. @throws ConfigError naming every variable that is wrong; it shows no values
 */
export function readEnvironment<Rules extends Readonly<Record<string, Variable<unknown>>>>(
  rules: Rules,
  environment: Environment = process.env,
): Read<Rules> {
  const problems: ConfigProblem[] = [];
  const entries = Object.entries(rules).map(([name, rule]) => {
    const text = environment[name]?.trim() ?? '';
    const value = text === '' ? rule.fallback?.value : rule.read(text);
    const isWrong = text === '' ? rule.fallback === undefined : value === undefined;
    if (isWrong)
      problems.push({ key: name, message: describe(name, rule, environment), source: 'environment' });
    return [name, value];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(entries) as Read<Rules>;
}

function describe(name: string, { allowed }: Variable<unknown>, environment: Environment): string {
  if ((environment[name]?.trim() ?? '') !== '') return `must be ${allowed}`;
  const others = Object.keys(environment).filter((other) => other !== name);
  const meant = suggest(name, others);
  const hint = meant === undefined ? '' : `; there is ${meant}`;
  return `is missing: ${allowed}${hint}`;
}

/** With a fallback the variable may be missing. */
export const variable = {
  text: (...fallback: [value?: string | undefined]): Variable<string> =>
    withFallback({ allowed: 'a text', read: (text) => text }, fallback),
  integer: (least: number, most: number, ...fallback: [value?: number | undefined]): Variable<number> => {
    const isWithin = (value: number): boolean => value >= least && value <= most;
    const read = (text: string): number | undefined =>
      /^-?\d{1,15}$/.test(text) && isWithin(Number(text)) ? Number(text) : undefined;
    return withFallback({ allowed: `a whole number from ${least} to ${most}`, read }, fallback);
  },
  flag: (...fallback: [value?: boolean | undefined]): Variable<boolean> => {
    const words: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };
    const read = (text: string): boolean | undefined =>
      Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined;
    return withFallback({ allowed: 'true or false', read }, fallback);
  },
  /** Separated by commas. */
  list: (...fallback: [value?: readonly string[] | undefined]): Variable<readonly string[]> => {
    const read = (text: string): readonly string[] => text.split(',').map((one) => one.trim());
    return withFallback({ allowed: 'a list with commas', read }, fallback);
  },
  oneOf: <const Word extends string>(
    words: readonly Word[],
    ...fallback: [value?: Word | undefined]
  ): Variable<Word> => {
    const read = (text: string): Word | undefined => words.find((word) => word === text);
    return withFallback({ allowed: `one of ${words.join(', ')}`, read }, fallback);
  },
  url: (...fallback: [value?: URL | undefined]): Variable<URL> =>
    withFallback({ allowed: 'a URL', read: (text) => URL.parse(text) ?? undefined }, fallback),
} as const;

/** The same, and `undefined` where it is missing. */
export function optional<T>(rule: Variable<T>): Variable<T | undefined> {
  return { ...rule, fallback: { value: undefined } };
}

function withFallback<T>(
  rule: Omit<Variable<T>, 'fallback'>,
  fallback: readonly (T | undefined)[],
): Variable<T> {
  const value = fallback[0];
  return value === undefined ? rule : { ...rule, fallback: { value } };
}
