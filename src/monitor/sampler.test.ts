import { afterEach, beforeEach, expect, test } from 'vitest';
import { observedDatabase } from '../../test/fixtures/observed-database.ts';
import { Metrics, type ObservedStats } from '../metrics/index.ts';
import type { MonitoredDatabase } from './monitored.ts';
import { Sampler } from './sampler.ts';

let metrics: Metrics;
let figures: Partial<ObservedStats>;
let sampler: Sampler;
beforeEach(() => {
  metrics = new Metrics();
  const fake = observedDatabase('main');
  const database = {
    ...fake,
    stats: () => ({ ...fake.stats(), ...figures }),
  } as unknown as MonitoredDatabase;
  metrics.watch(database);
  figures = {};
  sampler = new Sampler({ metrics, databases: [database], caches: [] });
});
afterEach(() => {
  sampler.stop();
  metrics.close();
});

const take = () => {
  const { walBytes, writesPerCommit } = sampler.take().databases['main']!;
  return { walBytes, writesPerCommit };
};

test('a point says how many writes shared a commit since the last one, on either engine', () => {
  figures = { sqlite: { groupCommits: 2, groupedWrites: 10, walBytes: 4_096 } };
  expect(take()).toEqual({ walBytes: 4_096, writesPerCommit: 5 });
  expect(take()).toEqual({ walBytes: 4_096, writesPerCommit: 0 });
  figures = { postgres: { shared: 9, alone: 1, groupCommits: 4, groupedWrites: 30 } };
  expect(take()).toEqual({ walBytes: null, writesPerCommit: 10 });
});
