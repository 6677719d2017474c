import type { Spread } from '../harness/statistics.ts';
import type { Unit } from '../works/index.ts';
import type { Verdict } from '../run/compare.ts';

/** A figure with its unit, short enough for a table; three digits that mean something. */
export function formatFigure(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return '–';
  switch (unit) {
    case 'perSecond':
      return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
    case 'ms':
      return `${threeDigits(value)} ms`;
    case 'us':
      return `${threeDigits(value)} µs`;
    case 'count':
      return `${Math.round(value)}`;
    case 'mb':
      return `${Math.round(value)} MB`;
  }
}

export function formatRatio(ratio: number): string {
  return `${threeDigits(ratio)}×`;
}

export function formatRange({ min, max, rounds }: Spread, format: (value: number) => string): string {
  return rounds === 1 ? '1 round' : `${format(min)} … ${format(max)}`;
}

export function formatBound({ atLeast, atMost, unit }: Verdict['goal']): string {
  const format = unit === 'times' ? formatRatio : (value: number) => formatFigure(value, 'ms');
  return atLeast === undefined ? `≤ ${format(atMost!)}` : `≥ ${format(atLeast)}`;
}

function threeDigits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  if (value >= 10) return trimmed(value.toFixed(1));
  return trimmed(value.toFixed(value >= 0.1 ? 2 : 3));
}

function trimmed(digits: string): string {
  return digits.replace(/\.?0+$/, '');
}
