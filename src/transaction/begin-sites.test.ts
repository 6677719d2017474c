import { expect, test } from 'vitest';
import { ManualClock } from '../async/index.ts';
import { BeginSites } from './begin-sites.ts';
import { describeCallSite, formatStack } from './call-site.ts';

test('of many transactions begun at once some have the place noted', () => {
  const clock = new ManualClock();
  const sites = new BeginSites(clock);
  const first = sites.capture();
  expect(formatStack(first)).toContain('begin-sites.test.ts');
  for (let n = 0; n < 99; n += 1) sites.capture();
  const missed = new Set(Array.from({ length: 50 }, () => sites.capture()));
  expect(missed.size).toBe(1);
  clock.advance(105);
  const later = Array.from({ length: 50 }, () => sites.capture());
  expect(new Set(later).size).toBe(11);
});

test('all have it for ten minutes once one was asked for that has not', () => {
  const clock = new ManualClock();
  const sites = new BeginSites(clock);
  for (let n = 0; n < 100; n += 1) sites.capture();
  expect(describeCallSite(sites.capture())).toMatch(/not noted under this load/);
  const all = Array.from({ length: 500 }, () => sites.capture());
  expect(new Set(all).size).toBe(500);
  clock.advance(600_000);
  expect(new Set(Array.from({ length: 500 }, () => sites.capture())).size).toBeLessThan(150);
});
