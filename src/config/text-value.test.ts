import { describe, expect, it } from 'vitest';
import { count, duration, fineDuration, onOff, size, text, word, type Rule } from './rules.ts';
import { readText, type BareUnit } from './text-value.ts';

const read = (rule: Rule, written: string, unit: BareUnit = 'ms'): unknown => {
  const checked = readText(rule, { text: written, unit, shown: JSON.stringify(written) });
  return 'value' in checked ? checked.value : checked.fault;
};

describe('text as a value', () => {
  it.each([
    ['500', 'ms', 500],
    ['500', 's', 500_000],
    ['500ms', 's', 500],
    ['30s', 'ms', 30_000],
    ['1.5s', 'ms', 1_500],
    ['1.005s', 'ms', 1_005],
    ['5m', 'ms', 300_000],
    ['1h', 'ms', 3_600_000],
    ['0', 's', 0],
    ['3600', 's', 3_600_000],
  ] as const)('%s, where a bare number is in %s, is %d ms', (written, unit, ms) => {
    expect(read(duration(0, 86_400_000), written, unit)).toBe(ms);
  });

  it('keeps fractions of a millisecond where the option does', () => {
    expect(read(fineDuration(0.1, 100), '0.5')).toBe(0.5);
    expect(read(duration(0, 100), '0.5')).toContain('is "0.5"; allowed');
  });

  it('P6 refuses a bare number of seconds above an hour, which was meant in milliseconds', () => {
    expect(read(duration(0, 86_400_000), '30000', 's')).toBe(
      'is "30000", more than an hour in seconds; write the unit with it, as in 30s or 30000ms',
    );
  });

  it.each([['-1'], ['1e3'], ['30 s'], ['30sec'], ['NaN'], ['Infinity'], ['1,5s'], ['ms'], ['0x10'], ['25h']])(
    'refuses the duration %s and says how one is written',
    (written) => {
      const message = `is "${written}"; allowed: a duration from 100ms to 24h, as in 500ms, 30s or 5m`;
      expect(read(duration(100, 86_400_000), written)).toBe(`${message} (a bare number is in milliseconds)`);
    },
  );

  it.each([
    ['bytes', '4096', 4_096],
    ['bytes', '64KiB', 65_536],
    ['bytes', '64kb', 65_536],
    ['bytes', '16MiB', 16_777_216],
    ['bytes', '1G', 'is "1G"; allowed: whole bytes from 1 to 17,179,869,184, or with a unit as in 16MiB'],
    ['bytes', '2GB', 2_147_483_648],
    ['bytes', '512B', 512],
    ['KiB', '64', 64],
    ['KiB', '16MiB', 16_384],
    ['KiB', '100B', 'is "100B"; allowed: whole KiB from 1 to 17,179,869,184, or with a unit as in 16MiB'],
  ] as const)('counts %s in %s', (unit, written, value) => {
    expect(read(size(unit, 1, 16 * 1_024 ** 3), written)).toBe(value);
  });

  it.each([
    ['-64000', 64_000],
    ['2000', 8_000],
    ['16MiB', 16_384],
    [
      '-1',
      'is "-1"; allowed: whole KiB from 64 to 100,000, as in -16384 (KiB), 4096 (pages of 4 KiB) or 16MiB',
    ],
  ])('J1 reads cache_size %s as SQLite does', (written, value) => {
    expect(read(size('KiB', 64, 100_000), written, 'pages')).toBe(value);
  });

  it.each([
    ['true', true],
    ['ON', true],
    ['1', true],
    ['Yes', true],
    ['false', false],
    ['off', false],
    ['0', false],
    ['NO', false],
    ['maybe', 'is "maybe"; allowed: true or false (also 1 or 0, yes or no, on or off)'],
    ['2', 'is "2"; allowed: true or false (also 1 or 0, yes or no, on or off)'],
  ])('reads %s as %s', (written, value) => {
    expect(read(onOff(), written)).toBe(value);
  });

  it('reads words in any case, and names those there are', () => {
    expect(read(word('wal', 'delete', 'truncate'), 'WAL')).toBe('wal');
    expect(read(word('wal', 'delete', 'truncate'), 'memory')).toBe(
      'is "memory"; allowed: "wal", "delete" or "truncate"',
    );
  });

  it.each([
    ['10', 10],
    ['010', 10],
  ])('reads the count %s', (written, value) => {
    expect(read(count(1, 100), written)).toBe(value);
  });

  it.each([['0'], ['101'], ['-5'], ['1.5'], ['1e1'], [' 10'], ['ten'], ['１０'], ['9'.repeat(400)]])(
    'refuses the count %s',
    (written) => {
      expect(read(count(1, 100), written)).toBe(`is "${written}"; allowed: a whole number from 1 to 100`);
    },
  );

  it('takes a path as it is, up to a length', () => {
    expect(read(text('a path'), 'Init.sql')).toBe('Init.sql');
    expect(read(text('a path'), 'x'.repeat(5_000))).toContain('allowed: a path, at most 4,096 characters');
  });

  it.each([count(1, 2), duration(0, 1), size('bytes', 1, 2), onOff(), word('a', 'b'), text('a path')])(
    'refuses an empty text as $kind',
    (rule) => {
      expect(read(rule, '')).toMatch(/^is empty; remove it, or give it /);
    },
  );
});
