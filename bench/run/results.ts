import type { Metrics } from '../harness/meter.ts';
import type { PeerName } from '../peers/index.ts';
import type { Step, Work } from '../works/index.ts';
import type { PlannedCell } from './plan.ts';

/** One peer in one work at one step, over all rounds. */
export interface CellResult {
  readonly work: Work;
  readonly step: Step;
  readonly peer: PeerName;
  /** By round, so that two peers' figures of one round can be compared; undefined where that round failed. */
  readonly rounds: (Metrics | undefined)[];
  readonly failures: string[];
}

/** What a run has measured so far. */
export class Results {
  readonly #cells = new Map<string, CellResult>();

  record({ work, step, peer, round }: PlannedCell, outcome: Metrics | string): void {
    const key = keyOf(work.name, step.value, peer);
    const cell = this.#cells.get(key) ?? { work, step, peer, rounds: [], failures: [] };
    this.#cells.set(key, cell);
    cell.rounds[round] = typeof outcome === 'string' ? undefined : outcome;
    if (typeof outcome === 'string') cell.failures.push(outcome);
  }

  cell(work: string, step: number, peer: PeerName): CellResult | undefined {
    return this.#cells.get(keyOf(work, step, peer));
  }

  /** By step, then in the order in which the work names its peers, whoever ran first. */
  cellsOf(work: string): CellResult[] {
    const cells = [...this.#cells.values()].filter((cell) => cell.work.name === work);
    const place = ({ work: { peers }, peer }: CellResult): number => peers.indexOf(peer);
    return cells.toSorted((a, b) => a.step.value - b.step.value || place(a) - place(b));
  }

  works(): Work[] {
    return [...new Set([...this.#cells.values()].map((cell) => cell.work))];
  }

  /** One figure of every cell in every round. */
  samples(metric: string): number[] {
    return [...this.#cells.values()].flatMap((cell) => samplesOf(cell, metric));
  }

  /** What went wrong, each message once, with the cells it happened in. */
  failures(): Map<string, string[]> {
    const cellsOfMessage = new Map<string, string[]>();
    for (const { work, step, peer, failures } of this.#cells.values()) {
      const cell = [work.name, step.title, peer].filter((part) => part !== '').join(' / ');
      for (const message of new Set(failures)) {
        cellsOfMessage.set(message, [...(cellsOfMessage.get(message) ?? []), cell]);
      }
    }
    return cellsOfMessage;
  }
}

export function samplesOf(cell: CellResult | undefined, metric: string): number[] {
  return (cell?.rounds ?? []).flatMap((metrics) => {
    const sample = metrics?.[metric];
    return sample === undefined || Number.isNaN(sample) ? [] : [sample];
  });
}

function keyOf(work: string, step: number, peer: PeerName): string {
  return `${work}/${step}/${peer}`;
}
