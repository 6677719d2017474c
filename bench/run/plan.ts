import type { PeerName } from '../peers/index.ts';
import type { Step, Work } from '../works/index.ts';
import type { BenchOptions } from './options.ts';

/** One process to be started: a work, at a step, by a peer, in a round. */
export interface PlannedCell {
  readonly work: Work;
  readonly step: Step;
  readonly peer: PeerName;
  readonly round: number;
}

const NO_STEP: Step = { value: 0, title: '' };

/**
 * The order of a run. Rounds are outermost, so that a slow minute of the machine falls on every work and peer alike;
 * within a round the peers of one work follow each other, so that their figures of that round compare; who begins
 * changes from round to round and from work to work.
 */
export function planCells(works: readonly Work[], options: BenchOptions): PlannedCell[] {
  const cells: PlannedCell[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, work] of works.entries()) {
      if (round >= roundsOf(work, options)) continue;
      for (const step of stepsOf(work, options)) {
        const peers = rotated(chosenPeers(work, options), round + index);
        for (const peer of peers) cells.push({ work, step, peer, round });
      }
    }
  }
  return cells;
}

export function chosenWorks(works: readonly Work[], options: BenchOptions): Work[] {
  const chosen = works.filter((work) => isChosen(work.name, options.only));
  if (chosen.length > 0) return chosen;
  const names = works.map((work) => work.name).join(', ');
  throw new RangeError(`--only ${options.only.join(',')}: no such work. There are: ${names}.`);
}

function chosenPeers(work: Work, options: BenchOptions): PeerName[] {
  return work.peers.filter((peer) => peer.startsWith('millpond') || isChosen(peer, options.peers));
}

export function stepsOf(work: Work, options: BenchOptions): readonly Step[] {
  return work.steps?.filter((step) => !options.quick || step.long !== true) ?? [NO_STEP];
}

function roundsOf(work: Work, options: BenchOptions): number {
  if (work.maxRounds === undefined) return options.rounds;
  return options.quick ? 1 : Math.min(options.rounds, work.maxRounds);
}

function isChosen(name: string, parts: readonly string[]): boolean {
  return parts.length === 0 || parts.some((part) => name.includes(part));
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
