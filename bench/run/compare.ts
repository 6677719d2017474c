import { medianOf, spreadOf, type Spread } from '../harness/statistics.ts';
import type { Goal } from '../goals.ts';
import type { PeerName } from '../peers/index.ts';
import { samplesOf, type CellResult, type Results } from './results.ts';

export interface Verdict {
  readonly goal: Goal;
  /** Absent where the run did not measure it. */
  readonly measured?: Spread;
  readonly reached?: boolean;
  /** Who was the better of `against`. */
  readonly reference?: PeerName;
}

export function verdictOf(goal: Goal, results: Results): Verdict {
  const found = measure(goal, results);
  if (found === undefined || found.samples.length === 0) return { goal };
  const measured = spreadOf(found.samples);
  const { median } = measured;
  const reached = median >= (goal.atLeast ?? -Infinity) && median <= (goal.atMost ?? Infinity);
  return { goal, measured, reached, ...(found.reference !== undefined && { reference: found.reference }) };
}

interface Found {
  readonly samples: number[];
  readonly reference?: PeerName;
}

function measure(goal: Goal, results: Results): Found | undefined {
  if (goal.betweenSteps === true) return { samples: worstSteps(goal, results) };
  const cell = results.cell(goal.work, 0, goal.peer);
  if (cell === undefined) return undefined;
  if (goal.against === undefined) return { samples: samplesOf(cell, goal.metric) };
  const candidates = goal.against.flatMap((peer) => results.cell(goal.work, 0, peer) ?? []);
  const reference = bestOf(candidates, goal.metric, goal.atLeast === undefined ? 'lower' : 'higher');
  if (reference === undefined) return undefined;
  return { samples: ratios(cell, reference, goal.metric), reference: reference.peer };
}

/** Round by round: both figures of a ratio come from the same minute of the machine. */
export function ratios(cell: CellResult, reference: CellResult, metric: string): number[] {
  return pairs(cell, reference, metric).map(([own, other]) => own / other);
}

export function differences(cell: CellResult, reference: CellResult, metric: string): number[] {
  return pairs(cell, reference, metric).map(([own, other]) => own - other);
}

function pairs(cell: CellResult, reference: CellResult, metric: string): [number, number][] {
  return cell.rounds.flatMap((metrics, round) => {
    const own = metrics?.[metric];
    const other = reference.rounds[round]?.[metric];
    return own === undefined || other === undefined ? [] : [[own, other]];
  });
}

/** The one with the better median: chosen once for the run, or every round's luckier one would be the reference. */
export function bestOf(
  cells: readonly CellResult[],
  metric: string,
  better: 'higher' | 'lower',
): CellResult | undefined {
  const measured = cells.filter((cell) => samplesOf(cell, metric).length > 0);
  const sign = better === 'higher' ? -1 : 1;
  const median = (cell: CellResult): number => sign * medianOf(samplesOf(cell, metric));
  return measured.toSorted((a, b) => median(a) - median(b))[0];
}

/** Per round the worst ratio of a step's figure to that before: the lowest where a goal is a floor, else the highest. */
function worstSteps(goal: Goal, results: Results): number[] {
  const cells = results.cellsOf(goal.work).filter((cell) => cell.peer === goal.peer);
  const rounds = Math.max(0, ...cells.map((cell) => cell.rounds.length));
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) => {
    const figures = cells.map((cell) => cell.rounds[round]?.[goal.metric]);
    const steps = figures.slice(1).flatMap((figure, index) => {
      const before = figures[index];
      return figure === undefined || before === undefined ? [] : [figure / before];
    });
    return steps.length === 0 ? [] : [goal.atLeast === undefined ? Math.max(...steps) : Math.min(...steps)];
  });
}
