import { UsageError } from '../errors/index.ts';
import type { Behaviours, OpenContractDatabase } from './behaviour.ts';
import { CONTRACT } from './contract-behaviours.ts';
import { ContractStage } from './contract-stage.ts';

/**
 * The functions of a test runner; those of vitest, Jest and Mocha fit, and of `node:test` with `afterAll:
 * after`.
 */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  readonly it: {
    (name: string, work: () => Promise<void>): unknown;
    skip(name: string, work: () => Promise<void>): unknown;
  };
  afterAll(work: () => Promise<void>): unknown;
}

export interface DatabaseContractOptions {
  readonly runner: TestRunner;
  /**
   * Behaviours that this database does not have, each with the reason: it becomes part of the skipped test's
   * name.
   */
  readonly skip?: Readonly<Record<string, string>>;
}

/**
 * The behaviours that every database of millpond has, as tests: one sentence each, with the requirements it
 * covers. `open` is called for each database that a test needs.
 *
 * @throws UsageError where `skip` names a behaviour that does not exist, or gives no reason
 */
export function databaseContract(
  label: string,
  open: OpenContractDatabase,
  { runner, skip = {} }: DatabaseContractOptions,
): void {
  assertKnown(skip);
  const stage = new ContractStage(open);
  runner.describe(label, () => {
    for (const [subject, behaviours] of Object.entries(CONTRACT)) {
      runner.describe(subject, () => declare({ subject, behaviours, stage, runner, skip }));
    }
    runner.afterAll(() => stage.close());
  });
}

interface Declaration extends Required<DatabaseContractOptions> {
  readonly subject: string;
  readonly behaviours: Behaviours;
  readonly stage: ContractStage;
}

function declare({ subject, behaviours, stage, runner, skip }: Declaration): void {
  for (const [sentence, behaviour] of Object.entries(behaviours)) {
    const reason = skip[`${subject} ${sentence}`];
    const check = () => stage.check(behaviour);
    if (reason === undefined) runner.it(sentence, check);
    else runner.it.skip(`${sentence} (not here: ${reason})`, check);
  }
}

/** An exemption that nobody needs any more must not stay, and one without a reason must not be made. */
function assertKnown(skip: Readonly<Record<string, string>>): void {
  const known = new Set<string>();
  for (const [subject, behaviours] of Object.entries(CONTRACT)) {
    for (const sentence of Object.keys(behaviours)) known.add(`${subject} ${sentence}`);
  }
  for (const [name, reason] of Object.entries(skip)) {
    if (!known.has(name)) throw new UsageError(`The contract has no behaviour "${name}" to skip.`);
    if (reason.trim() === '') throw new UsageError(`The behaviour "${name}" is skipped without a reason.`);
  }
}
