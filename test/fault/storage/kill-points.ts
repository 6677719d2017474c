import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Action, ALL_CALLS, ALL_FILES, buildShim } from './io-shim.ts';
import { runThroughFault } from './child-faults.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { Scratch } from './scratch.ts';

/**
 * C02: kills a writing process at the n-th call by which SQLite changes a file: just before it, or when it
 * has returned and nobody knows yet. The calls of a commit, of a checkpoint and of closing are all among
 * them. `count` of these points are taken, spread over the run; a count above twice the number of calls takes
 * every one.
 */
export async function killAtPoints({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  using scratch = new Scratch();
  buildShim(scratch);
  const fault = { calls: ALL_CALLS, files: ALL_FILES, skip: 0, times: 1 };
  const whole = await runThroughFault(scratch, 'whole', { ...fault, action: Action.count });
  findings.add('callsInOneRun', whole.seen);
  for (const [index, point] of choosePoints(whole.seen, count, seed).entries()) {
    const action = point.after ? Action.killAfter : Action.killBefore;
    const when = `killed ${point.after ? 'after' : 'before'} call ${point.call + 1}`;
    const run = await runThroughFault(scratch, `point${index}`, { ...fault, skip: point.call, action });
    // The number of calls differs a little from run to run: the last of them may not come.
    findings.add(run.end.signal === 'SIGKILL' ? 'kills' : 'endedBefore');
    run.ledger.check(when, run.content, findings);
    run.ledger.report(findings);
    findings.add('committedButUnanswered', countUnanswered(run.content.whole, run.ledger.told));
  }
  return findings.outcome();
}

interface Point {
  readonly call: number;
  readonly after: boolean;
}

function choosePoints(calls: number, count: number, seed: number): Point[] {
  const points = Array.from({ length: calls * 2 }, (_, index) => ({
    call: index >> 1,
    after: index % 2 === 1,
  }));
  if (count >= points.length) return points;
  const random = randomFrom(seed);
  const step = points.length / count;
  return Array.from({ length: count }, (_, index) => points[Math.floor((index + random()) * step)]!);
}

function countUnanswered(whole: ReadonlySet<string>, told: ReadonlyMap<string, unknown>): number {
  return [...whole].filter((op) => !told.has(op)).length;
}
