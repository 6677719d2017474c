import { suggest, type Logger } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';

/** What is wrong with a value, worded to follow the name of its key; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;
export type Checks<Options> = { readonly [Key in keyof Options]-?: Check };

/**
 * Checks what a middleware was given, when it is made: a service that is set up wrongly does not start.
 * @returns the same without what is undefined. @throws ConfigError listing every fault, unknown keys included
 */
export function checkOptions<Options extends object>(
  place: string,
  given: Options,
  checks: Checks<Options>,
): Options {
  const problems = optionProblems(place, given, checks);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Options;
}

export function optionProblems<Options extends object>(
  place: string,
  given: Options,
  checks: Checks<Options>,
): ConfigProblem[] {
  if (typeof given !== 'object' || given === null) return [problem(place, 'must be an object')];
  return Object.entries(given).flatMap(([key, value]) => {
    const message = Object.hasOwn(checks, key)
      ? value === undefined
        ? undefined
        : checks[key as keyof Options](value)
      : unknownKey(key, Object.keys(checks));
    return message === undefined ? [] : [problem(`${place}.${key}`, message)];
  });
}

/** One fault, as `ConfigError` takes it. */
export function problem(key: string, message: string): ConfigProblem {
  return { key, message, source: 'options' };
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = suggest(key, known);
  return meant === undefined
    ? `is no option; there are ${known.join(', ')}`
    : `is no option. Did you mean "${meant}"?`;
}

export function number(least: number, most: number): Check {
  return (value) =>
    typeof value === 'number' && value >= least && value <= most
      ? undefined
      : `must be a number from ${least} to ${most}`;
}

export function integer(least: number, most: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}

export const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export const callback: Check = (value) => (typeof value === 'function' ? undefined : 'must be a function');

export function text(most = 1_000): Check {
  return (value) =>
    typeof value === 'string' && value !== '' && value.length <= most
      ? undefined
      : `must be a text of 1 to ${most} characters`;
}

export function list(each: Check, most = 1_000): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > most) return `must be a list of at most ${most}`;
    const faults = value.flatMap((item: unknown, index) => {
      const fault = each(item);
      return fault === undefined ? [] : [`[${index}] ${fault}`];
    });
    return faults.length === 0 ? undefined : faults.join('; ');
  };
}

export function oneOf(words: readonly unknown[]): Check {
  return (value) => (words.includes(value) ? undefined : `must be one of ${words.map(String).join(', ')}`);
}

export function either(...checks: readonly Check[]): Check {
  return (value) => {
    const faults = checks.map((check) => check(value));
    return faults.includes(undefined) ? undefined : faults.join(', or ');
  };
}

/** Checked by whoever takes it. */
export const anything: Check = () => undefined;

/** A logger that has at least these methods. */
export function logger(...methods: readonly (keyof Logger)[]): Check {
  return (value) => {
    const given = (value ?? {}) as Partial<Record<keyof Logger, unknown>>;
    return methods.every((method) => typeof given[method] === 'function')
      ? undefined
      : `must be a logger with ${methods.join(' and ')}`;
  };
}
