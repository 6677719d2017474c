import type { Checked } from './checked.ts';
import type { Rule } from './rules.ts';

/**
 * What a bare number means: for durations seconds or milliseconds, for SQLite's cache_size pages of 4 KiB.
 */
export type BareUnit = 's' | 'ms' | 'pages';

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES_PER: Readonly<Record<string, number>> = { b: 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 };
const YES = ['true', '1', 'yes', 'on'];
const NO = ['false', '0', 'no', 'off'];
const AN_HOUR_S = 3_600;

/**
 * Reads a value written as text, as the environment, YAML and URLs hold it. `shown` is the text as a message
 * may show it.
 */
export function readText(
  rule: Rule,
  written: { text: string; unit: BareUnit; shown: string },
): Checked<unknown> {
  const { text, unit, shown } = written;
  if (text === '') return { fault: `is empty; remove it, or give it ${allowedText(rule, unit)}` };
  if (rule.kind === 'duration' && unit === 's' && Number(text) > AN_HOUR_S) {
    return {
      fault: `is ${shown}, more than an hour in seconds; write the unit with it, as in 30s or 30000ms`,
    };
  }
  const value = rule.schema.safeParse(toValue(rule, text, unit));
  return value.success
    ? { value: value.data }
    : { fault: `is ${shown}; allowed: ${allowedText(rule, unit)}` };
}

/** @returns undefined where the text has not the form that its kind asks for. */
function toValue(rule: Rule, text: string, unit: BareUnit): unknown {
  switch (rule.kind) {
    case 'count':
      return /^\d+$/.test(text) ? Number(text) : undefined;
    case 'duration':
      return toMs(text, unit);
    case 'size':
      return unit === 'pages' ? fromCachePragma(text) : toSize(text, rule.unit);
    case 'switch':
      return toBoolean(text.toLowerCase());
    case 'word':
      return text.toLowerCase();
    case 'text':
      return text;
  }
}

function toMs(text: string, unit: BareUnit): number | undefined {
  const [, digits, suffix] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  // To a thousandth of a millisecond: 1.005 s is 1005 ms, not 1004.9999999999999.
  return Math.round(Number(digits) * MS_PER[suffix ?? unit]! * 1_000) / 1_000;
}

function toSize(text: string, unit: Rule['unit']): number | undefined {
  const [, digits, suffix] = /^(\d+)(b|[kmg]i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const counted = unit === 'KiB' ? 1_024 : 1;
  return suffix === undefined
    ? Number(digits)
    : (Number(digits) * BYTES_PER[suffix[0]!.toLowerCase()]!) / counted;
}

/** As `PRAGMA cache_size`: KiB below zero, pages above. https://sqlite.org/pragma.html#pragma_cache_size */
function fromCachePragma(text: string): number | undefined {
  if (/^-\d+$/.test(text)) return -Number(text);
  return /^\d+$/.test(text) ? Number(text) * 4 : toSize(text, 'KiB');
}

function toBoolean(text: string): boolean | undefined {
  if (YES.includes(text)) return true;
  return NO.includes(text) ? false : undefined;
}

function allowedText(rule: Rule, unit: BareUnit): string {
  switch (rule.kind) {
    case 'duration': {
      const [min, max] = [showMs(rule.range!.min), showMs(rule.range!.max)];
      const bare = unit === 's' ? 'seconds' : 'milliseconds';
      return `a duration from ${min} to ${max}, as in 500ms, 30s or 5m (a bare number is in ${bare})`;
    }
    case 'size':
      return unit === 'pages'
        ? `${rule.allowed}, as in -16384 (KiB), 4096 (pages of 4 KiB) or 16MiB`
        : `${rule.allowed}, or with a unit as in 16MiB`;
    case 'switch':
      return 'true or false (also 1 or 0, yes or no, on or off)';
    default:
      return rule.allowed;
  }
}

function showMs(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    if (ms >= MS_PER[unit]! && ms % MS_PER[unit]! === 0) return `${ms / MS_PER[unit]!}${unit}`;
  }
  return `${ms}ms`;
}
