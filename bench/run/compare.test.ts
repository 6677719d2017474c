import { describe, expect, test } from 'vitest';
import { CHECKS, GOALS, type Goal } from '../goals.ts';
import { POSTGRES_GOALS } from '../postgres/goals.ts';
import { POSTGRES_WORKS } from '../postgres/works.ts';
import type { PeerName } from '../peers/index.ts';
import { WORKS, type Work } from '../works/index.ts';
import { bestOf, differences, ratios, verdictOf } from './compare.ts';
import { Results } from './results.ts';

const WORK: Work = { ...WORKS[0]!, name: 'work' };
const GOAL: Goal = {
  work: 'work',
  says: 'speed',
  peer: 'millpond',
  metric: 'perSecond',
  unit: 'times',
  against: ['better-sqlite3', 'node:sqlite'],
  atLeast: 1,
};

function resultsOf(figures: Partial<Record<PeerName, (number | undefined)[]>>): Results {
  const results = new Results();
  for (const [peer, rounds] of Object.entries(figures)) addRounds(results, peer as PeerName, rounds);
  return results;
}

function addRounds(results: Results, peer: PeerName, rounds: (number | undefined)[], step = 0): void {
  for (const [round, figure] of rounds.entries()) {
    const cell = { work: WORK, step: { value: step, title: '' }, peer, round };
    results.record(cell, figure === undefined ? 'failed' : { perSecond: figure });
  }
}

describe('a relative goal', () => {
  test('compares round by round with the peer whose median is better', () => {
    const results = resultsOf({
      millpond: [100, 220, 330],
      'better-sqlite3': [100, 200, 300],
      'node:sqlite': [500, 10, 10],
    });
    const verdict = verdictOf(GOAL, results);
    expect(verdict.reference).toBe('better-sqlite3');
    expect(verdict.measured).toEqual({ median: 1.1, min: 1, max: 1.1, rounds: 3 });
    expect(verdict.reached).toBe(true);
  });

  test('leaves out rounds in which either side failed', () => {
    const results = resultsOf({ millpond: [50, undefined, 50], 'better-sqlite3': [undefined, 10, 100] });
    expect(verdictOf(GOAL, results).measured).toEqual({ median: 0.5, min: 0.5, max: 0.5, rounds: 1 });
  });

  test('takes the lowest as the best where less is better', () => {
    const goal = { ...GOAL, atLeast: undefined, atMost: 0.5 } as unknown as Goal;
    const results = resultsOf({ millpond: [2], 'better-sqlite3': [5], 'node:sqlite': [9] });
    expect(verdictOf(goal, results)).toMatchObject({ reference: 'better-sqlite3', reached: true });
  });

  test('has no verdict where it, or everything it is held against, was not measured', () => {
    expect(verdictOf(GOAL, resultsOf({ 'node:sqlite': [1] })).reached).toBeUndefined();
    expect(verdictOf(GOAL, resultsOf({ millpond: [1] })).reached).toBeUndefined();
    expect(verdictOf(GOAL, resultsOf({ millpond: [undefined], 'node:sqlite': [1] })).reached).toBeUndefined();
  });
});

test('an absolute goal is held against the median', () => {
  const { against: _, ...absolute } = GOAL;
  const goal: Goal = { ...absolute, unit: 'ms', atLeast: 5 };
  expect(verdictOf(goal, resultsOf({ millpond: [1, 5, 9] })).reached).toBe(true);
  expect(verdictOf(goal, resultsOf({ millpond: [1, 4, 9] })).reached).toBe(false);
});

test('the worst step of a round is its figure', () => {
  const results = new Results();
  addRounds(results, 'millpond', [100, 100], 1);
  addRounds(results, 'millpond', [90, 100], 4);
  addRounds(results, 'millpond', [30, 90], 16);
  const verdict = verdictOf({ ...GOAL, betweenSteps: true, atLeast: 0.5 }, results);
  expect(verdict.measured).toMatchObject({ min: 30 / 90, max: 0.9 });
});

test('pairs of rounds make ratios and differences', () => {
  const results = resultsOf({ millpond: [4, 9], tarn: [2, 3] });
  const [own, other] = [results.cell('work', 0, 'millpond')!, results.cell('work', 0, 'tarn')!];
  expect(ratios(own, other, 'perSecond')).toEqual([2, 3]);
  expect(differences(own, other, 'perSecond')).toEqual([2, 6]);
  expect(bestOf([own, other], 'perSecond', 'lower')).toBe(other);
});

test('where less is better the worst step is the one that grows most', () => {
  const results = new Results();
  for (const [index, figure] of [10, 15, 60].entries()) addRounds(results, 'millpond', [figure], index + 1);
  const { atLeast: _, against: __, ...goal } = GOAL;
  const verdict = verdictOf({ ...goal, betweenSteps: true, atMost: 2 }, results);
  expect(verdict).toMatchObject({ measured: { median: 4 }, reached: false });
});

test.each([
  { engine: 'SQLite', works: WORKS, goals: [...GOALS, ...CHECKS] },
  { engine: 'PostgreSQL', works: POSTGRES_WORKS, goals: POSTGRES_GOALS },
])('every goal of $engine names a work, and peers that take part in it', ({ works, goals }) => {
  for (const { work: name, peer, against = [] } of goals) {
    const work = works.find((candidate) => candidate.name === name);
    expect(work?.peers).toEqual(expect.arrayContaining([peer, ...against]));
  }
});
