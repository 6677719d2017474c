import { expect, test } from 'vitest';
import { WORKS, type Work } from '../works/index.ts';
import { parseOptions, type BenchOptions } from './options.ts';
import { chosenWorks, planCells, stepsOf } from './plan.ts';

function optionsOf(...argv: string[]): BenchOptions {
  return parseOptions(argv)!;
}

function worksNamed(...names: string[]): Work[] {
  return WORKS.filter(({ name }) => names.includes(name));
}

test('every peer is measured once per round, and begins in another place each time', () => {
  const cells = planCells(worksNamed('json-body'), optionsOf('--rounds', '3'));
  const rounds = [0, 1, 2].map((round) =>
    cells.filter((cell) => cell.round === round).map(({ peer }) => peer),
  );
  for (const peers of rounds) expect(peers.toSorted()).toEqual(worksNamed('json-body')[0]!.peers.toSorted());
  expect(new Set(rounds.map((peers) => peers[0])).size).toBe(3);
});

test('rounds are interleaved over works: none is finished before the others begin', () => {
  const cells = planCells(worksNamed('json-body', 'transactions-16'), optionsOf('--rounds', '2'));
  const order = cells.map(({ round, work }) => `${round} ${work.name}`);
  const expected = ['0 json-body', '0 transactions-16', '1 json-body', '1 transactions-16'];
  expect([...new Set(order)]).toEqual(expected);
});

test('works with a limit of rounds stop there, and run once with --quick', () => {
  const rounds = (...argv: string[]): number =>
    new Set(planCells(worksNamed('reads-under-scans'), optionsOf(...argv)).map(({ round }) => round)).size;
  expect(rounds('--rounds', '9')).toBe(3);
  expect(rounds('--quick')).toBe(1);
});

test('--quick leaves out the longest steps', () => {
  const work = worksNamed('growth-rows-read')[0]!;
  expect(stepsOf(work, optionsOf()).map(({ value }) => value)).toContain(1_000_000);
  expect(stepsOf(work, optionsOf('--quick')).map(({ value }) => value)).not.toContain(1_000_000);
});

test('--only and --peers choose by parts of names; millpond stays in', () => {
  const options = optionsOf('--only', 'json,leases', '--peers', 'node');
  const works = chosenWorks(WORKS, options);
  expect(works.map(({ name }) => name)).toEqual(['json-body', 'leases-uncontended', 'leases-contended']);
  const peers = new Set(planCells(works, options).map(({ peer }) => peer));
  expect([...peers].toSorted()).toEqual(['millpond', 'millpond pool', 'node:sqlite']);
});

test('a misspelt work is refused with the names that there are', () => {
  expect(() => chosenWorks(WORKS, optionsOf('--only', 'pointt'))).toThrow('point-reads-64');
  expect(() => parseOptions(['--rounds', 'many'])).toThrow('--rounds many');
  expect(() => parseOptions(['--quik'])).toThrow('--quik');
});
