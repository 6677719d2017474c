import type { Bench } from '../run/bench.ts';

/** Everything that was measured, round by round, for other programs. */
export function jsonReport(bench: Bench): string {
  const { options, machine, inspection, results, startedAt, tookMs } = bench;
  const { rounds, warmUpMs, measureMs, quick, dist } = options;
  const verdicts = [...bench.verdicts, ...bench.checks].filter(
    ({ goal }) => results.cellsOf(goal.work).length > 0,
  );
  const report = {
    startedAt,
    tookMs,
    options: { rounds, warmUpMs, measureMs, quick, dist },
    machine,
    ...inspection,
    goals: verdicts.map(({ goal, ...verdict }) => ({
      ...goal,
      ...verdict,
      reached: verdict.reached ?? null,
    })),
    works: results.works().map((work) => ({
      name: work.name,
      title: work.title,
      cells: results.cellsOf(work.name).map(({ step, peer, rounds: measured, failures }) => ({
        peer,
        ...(work.steps !== undefined && { step: step.value }),
        rounds: measured,
        failures,
      })),
    })),
  };
  return JSON.stringify(report, null, 2);
}
