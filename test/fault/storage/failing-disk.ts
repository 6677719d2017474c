import { runThroughFault, type FaultRun } from './child-faults.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Action, buildShim, Calls, Files, type Fault } from './io-shim.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { Scratch } from './scratch.ts';

interface Plan extends Omit<Fault, 'skip'> {
  readonly name: string;
  /**
   * The process dies when the first caller was told of a failure: what is in the log then, the next one
   * finds.
   */
  readonly dies?: boolean;
}

/** Calls on the log in one run; a fault is put before any of them. */
const CALLS_IN_A_RUN = { sync: 30, write: 160 } as const;

const SYNCS: readonly Plan[] = [
  { name: 'one fsync', calls: Calls.sync, files: Files.log, times: 1, action: Action.ioError },
  { name: 'every fsync', calls: Calls.sync, files: Files.log, times: -1, action: Action.ioError },
  {
    name: 'one fsync, then death',
    calls: Calls.sync,
    files: Files.log,
    times: 1,
    action: Action.ioError,
    dies: true,
  },
];
const WRITES: readonly Plan[] = [
  { name: 'one write, I/O error', calls: Calls.write, files: Files.log, times: 1, action: Action.ioError },
  { name: 'every write, I/O error', calls: Calls.write, files: Files.log, times: -1, action: Action.ioError },
  { name: 'one write, no space', calls: Calls.write, files: Files.log, times: 1, action: Action.noSpace },
  { name: 'every write, no space', calls: Calls.write, files: Files.log, times: -1, action: Action.noSpace },
  { name: 'one write, cut short', calls: Calls.write, files: Files.log, times: 1, action: Action.writeHalf },
];

/**
 * C08: the n-th fsync of the log fails, or every one from the n-th on. What a commit wrote may be on the disk
 * then or not, so its callers are told that it is unknown, never that it did not happen. The writer is opened
 * anew; when that one fails as well, writes stop for good and the health check says so.
 */
export function failSyncs(extent: Extent): Promise<Outcome> {
  return failCalls(extent, SYNCS, CALLS_IN_A_RUN.sync);
}

/** C07: the same with writes to the log: an I/O error, a full disk, a write that is cut short. */
export function failWrites(extent: Extent): Promise<Outcome> {
  return failCalls(extent, WRITES, CALLS_IN_A_RUN.write);
}

async function failCalls({ count, seed }: Extent, plans: readonly Plan[], calls: number): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  buildShim(scratch);
  for (let index = 0; index < count; index += 1) {
    const plan = plans[index % plans.length]!;
    // Each plan gets its faults spread over the whole run.
    const rounds = Math.ceil(count / plans.length);
    const round = Math.floor(index / plans.length);
    const skip = Math.floor(((round + random()) / rounds) * calls);
    const options = { dies: plan.dies === true, isPooled: round % 2 === 0 };
    const run = await runThroughFault(scratch, `fault${index}`, { ...plan, skip }, options);
    judge(`${plan.name} after ${skip}${options.isPooled ? '' : ', one connection'}`, plan, run, findings);
    scratch.removeAll('fault');
  }
  return findings.outcome();
}

function judge(when: string, plan: Plan, run: FaultRun, findings: Findings): void {
  const { ledger, end, content, hits } = run;
  findings.add('faults', hits);
  if (hits === 0) findings.add('runsWithoutFault');
  const died = plan.dies === true && end.signal === 'SIGKILL';
  if (end.code !== 0 && !died)
    findings.break(`${when}: the process ended with ${end.signal ?? end.code}: ${end.stderr}`);
  ledger.check(when, content, findings);
  ledger.report(findings);
  if (died) findings.add('deaths');
  else judgeAfterwards(when, plan, run, findings);
}

/**
 * One fault: all is well again without a restart. Faults without end: stopped for good, where COMMIT met
 * them.
 */
function judgeAfterwards(
  when: string,
  plan: Plan,
  { looks, ledger, end, hits }: FaultRun,
  findings: Findings,
): void {
  if (end.code !== 0 || hits === 0) return;
  if (looks.get('read healed') !== 'ok')
    findings.break(`${when}: reads have stopped: ${looks.get('read healed')}`);
  const health = looks.get('health healed');
  const healed = [...ledger.told].filter(
    ([op, told]) => op.startsWith('healed') && told === 'committed',
  ).length;
  const isStopped = health === 'down ERR_MILLPOND_STORAGE';
  if (isStopped) findings.add('runsStoppedForGood');
  if (isStopped && healed > 0) findings.break(`${when}: stopped, and ${healed} writes went through`);
  if (!isStopped && healed === 0)
    findings.break(`${when}: no write went through after it, and health is ${health}`);
  if (!isStopped && health !== 'up') findings.break(`${when}: health is ${health}`);
  if (plan.times === 1 && isStopped) findings.break(`${when}: one fault has stopped all writes`);
  if (plan.times === -1 && plan.calls === Calls.sync && !isStopped && hits > 2) {
    findings.break(`${when}: ${hits} failed fsyncs have not stopped writes`);
  }
}
