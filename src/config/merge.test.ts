import { describe, expect, it } from 'vitest';
import type { Setting } from './layer.ts';
import { mergeLevels, type Merged } from './merge.ts';
import { Problems } from './problems.ts';
import type { FlatOptions, OptionName } from './schema.ts';

const circumstances = { dialect: 'sqlite', production: false, cores: 4, inMemory: false } as const;

/** Settings of one source, keys like the options'. */
const level = (source: string, values: Partial<FlatOptions>): Setting[] =>
  Object.entries(values).map(([option, value]) => ({
    option: option as OptionName,
    value,
    key: option,
    source,
  }));

function merge(...levels: Setting[][]): Merged {
  const problems = new Problems();
  const merged = mergeLevels(levels, circumstances, problems);
  problems.throwIfAny();
  return merged;
}

describe('several sources', () => {
  it('P6 code wins over environment over file over defaults, option by option', () => {
    const { values, sources } = merge(
      level('options', { 'pool.max': 1 }),
      level('environment', { 'pool.max': 2, 'pool.min': 0 }),
      level('config/database.yaml:3', { 'pool.max': 3, 'pool.min': 3, 'pool.maxOverflow': 3 }),
    );
    expect(values).toMatchObject({
      'pool.max': 1,
      'pool.min': 0,
      'pool.maxOverflow': 3,
      'pool.warnAcquireMs': 2_000,
    });
    expect(sources).toMatchObject({
      'pool.max': 'options',
      'pool.min': 'pool.min',
      'pool.maxOverflow': 'config/database.yaml:3',
      'pool.warnAcquireMs': 'default',
    });
  });

  it('M8 a preset ranks above the defaults and below everything that was set', () => {
    const { values, sources } = merge(
      level('options', { 'pool.preset': 'production' }),
      level('f:1', { 'pool.max': 7 }),
    );
    expect(values).toMatchObject({
      'pool.max': 7,
      'pool.maxOverflow': 40,
      'pool.maxLifetimeMs': 3_600_000,
      'pool.pingAfterIdleMs': 0,
    });
    expect(sources).toMatchObject({ 'pool.max': 'f:1', 'pool.maxOverflow': 'preset production' });
    expect(merge(level('options', { 'pool.preset': 'development' })).values).toMatchObject({
      'pool.max': 5,
      'pool.maxOverflow': 10,
    });
  });

  it('one source must not say a thing twice', () => {
    const twice = [...level('f:1', { 'pool.max': 3 }), ...level('f:2', { 'pool.max': 3 })];
    expect(() => merge(twice)).toThrow('pool.max (f:2): says the same as pool.max (f:1); keep one of them');
  });
});

describe('durability and synchronous', () => {
  it.each([
    [{}, 'full', 'full'],
    [{ durability: 'full' }, 'full', 'full'],
    [{ durability: 'process' }, 'process', 'normal'],
    [{ 'sqlite.synchronous': 'normal' }, 'process', 'normal'],
    [{ 'sqlite.synchronous': 'full' }, 'full', 'full'],
    [{ 'sqlite.synchronous': 'extra' }, 'full', 'extra'],
    [{ durability: 'full', 'sqlite.synchronous': 'extra' }, 'full', 'extra'],
    [{ durability: 'process', 'sqlite.synchronous': 'normal' }, 'process', 'normal'],
  ] as const)('%j means durability %s, synchronous %s', (said, durability, synchronous) => {
    expect(merge(level('options', said)).values).toMatchObject({
      durability,
      'sqlite.synchronous': synchronous,
    });
  });

  it('are decided together by the nearest source that says either', () => {
    const { values, sources } = merge(
      level('options', { durability: 'full' }),
      level('f:1', { 'sqlite.synchronous': 'normal' }),
    );
    expect(values).toMatchObject({ durability: 'full', 'sqlite.synchronous': 'full' });
    expect(sources['sqlite.synchronous']).toBe('options');
    const other = merge(
      level('environment', { 'sqlite.synchronous': 'normal' }),
      level('f:1', { durability: 'full' }),
    );
    expect(other.values).toMatchObject({ durability: 'process', 'sqlite.synchronous': 'normal' });
  });

  it.each([
    [
      { durability: 'full', 'sqlite.synchronous': 'normal' },
      '"normal" means durability "process", and durability (options) is "full"',
    ],
    [
      { durability: 'process', 'sqlite.synchronous': 'full' },
      '"full" means durability "full", and durability (options) is "process"',
    ],
  ] as const)('must not contradict each other in one source: %j', (said, message) => {
    expect(() => merge(level('options', said))).toThrow(`contradicts: ${message}; keep one of them`);
  });
});
