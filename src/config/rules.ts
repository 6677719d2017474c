import { z } from 'zod';

/** How a value is written as text: in the environment, in YAML, after the `?` of a URL. */
type ValueKind = 'count' | 'duration' | 'size' | 'switch' | 'word' | 'text';

/** What one option accepts. */
export interface Rule<T = unknown> {
  readonly kind: ValueKind;
  readonly schema: z.ZodType<T>;
  /** Ends the message about a wrong value: `a whole number from 1 to 1,000`. */
  readonly allowed: string;
  /** For durations, in milliseconds. */
  readonly range?: { readonly min: number; readonly max: number };
  /** For sizes: what the option counts in. */
  readonly unit?: 'bytes' | 'KiB';
}

export function count(min: number, max: number): Rule<number> {
  return {
    kind: 'count',
    schema: z.int().min(min).max(max),
    allowed: `a whole number from ${show(min)} to ${show(max)}`,
  };
}

/** Whole milliseconds. */
export function duration(min: number, max: number): Rule<number> {
  const allowed = `whole milliseconds from ${show(min)} to ${show(max)}`;
  return { kind: 'duration', schema: z.int().min(min).max(max), allowed, range: { min, max } };
}

/** Milliseconds, fractions included. */
export function fineDuration(min: number, max: number): Rule<number> {
  const allowed = `milliseconds from ${show(min)} to ${show(max)}`;
  return { kind: 'duration', schema: z.number().min(min).max(max), allowed, range: { min, max } };
}

export function size(unit: 'bytes' | 'KiB', min: number, max: number): Rule<number> {
  const allowed = `whole ${unit} from ${show(min)} to ${show(max)}`;
  return { kind: 'size', schema: z.int().min(min).max(max), allowed, unit };
}

export function onOff(): Rule<boolean> {
  return { kind: 'switch', schema: z.boolean(), allowed: 'true or false' };
}

export function word<const Words extends readonly [string, string, ...string[]]>(
  ...words: Words
): Rule<Words[number]> {
  return { kind: 'word', schema: z.enum(words), allowed: listed(words.map((one) => `"${one}"`)) };
}

export function text(allowed: string): Rule<string> {
  // A path or address longer than this is a mistake (the longest path Linux takes is 4,096 bytes).
  return {
    kind: 'text',
    schema: z.string().min(1).max(4_096),
    allowed: `${allowed}, at most 4,096 characters`,
  };
}

/** `a or b`, `a, b or c`. */
function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function show(value: number): string {
  return value.toLocaleString('en-US');
}
