import { describe, expect, test } from 'vitest';
import { captureCallSite, describeCallSite, formatStack, StatementSites } from './call-site.ts';

describe('the place named in messages', () => {
  test('is unknown where the stack says nothing', () => {
    expect(describeCallSite({})).toBe('an unknown place');
  });

  test('comes from a stack of the call', () => {
    function caller(): string {
      return formatStack(captureCallSite());
    }
    expect(caller().split('\n')[0]).toMatch(/^ {4}at caller \(.*call-site\.test\.ts/);
  });
});

describe('places of statements', () => {
  test('are captured until a text was seen twice, then known', () => {
    const sites = new StatementSites();
    expect(sites.locate('select 1')).toBeTypeOf('object');
    expect(sites.locate('select 1')).toBeTypeOf('object');
    expect(sites.locate('select 1')).toBeTypeOf('string');
  });

  test('are exact again after one of the text was found un-awaited', () => {
    const sites = new StatementSites();
    sites.locate('select 1');
    sites.locate('select 1');
    const known = sites.locate('select 1');
    expect(sites.explain('select 1', known)).toMatch(/^of a text that was called at /);
    const exact = sites.locate('select 1');
    expect(sites.explain('select 1', exact)).toMatch(/^called at /);
  });

  test('are forgotten past a thousand texts, the oldest first', () => {
    const sites = new StatementSites();
    for (let i = 0; i < 3; i++) sites.locate('first');
    for (let i = 0; i < 1_000; i++) sites.locate(`text ${i}`);
    expect(sites.locate('first')).toBeTypeOf('object');
  });
});
