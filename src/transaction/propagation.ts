import type { Isolation } from '../driver/index.ts';
import { UsageError, type TransactionClosedError } from '../errors/index.ts';
import type { Propagation, ResolvedTransactionOptions } from './transaction-options.ts';
import type { TransactionView } from './transaction-view.ts';

/** Where work is to run: in a new transaction, in the running one, under a savepoint of it, or in none. */
export type Step = 'begin' | 'join' | 'nest' | 'none';

interface Rule {
  /** No transaction of this database is running in the flow. */
  readonly outside: Step | 'refuse';
  readonly inside: Step | 'refuse';
  /** The flow was started in a transaction that has ended. */
  readonly late: Step | 'refuse';
}

const RULES: Record<Propagation, Rule> = {
  required: { outside: 'begin', inside: 'join', late: 'refuse' },
  'requires-new': { outside: 'begin', inside: 'begin', late: 'begin' },
  nested: { outside: 'begin', inside: 'nest', late: 'refuse' },
  mandatory: { outside: 'refuse', inside: 'join', late: 'refuse' },
  never: { outside: 'none', inside: 'refuse', late: 'refuse' },
  supports: { outside: 'none', inside: 'join', late: 'refuse' },
  'not-supported': { outside: 'none', inside: 'none', late: 'none' },
};

const STRENGTH: Record<Isolation, number> = {
  'read uncommitted': 0,
  'read committed': 1,
  'repeatable read': 2,
  serializable: 3,
};

/**
 * @throws UsageError where the mode forbids it, TransactionClosedError where the flow's transaction has
 * ended.
 */
export function decideStep(options: ResolvedTransactionOptions, ambient: TransactionView | undefined): Step {
  const rule = RULES[options.propagation];
  const step =
    ambient === undefined ? rule.outside : ambient.scope.state === 'active' ? rule.inside : rule.late;
  if (step === 'refuse') throw refusal(options.propagation, ambient);
  if (step === 'join' || step === 'nest') assertFits(options, ambient!);
  return step === 'join' && ambient!.nests ? 'nest' : step;
}

function refusal(
  propagation: Propagation,
  ambient: TransactionView | undefined,
): UsageError | TransactionClosedError {
  const code = 'ERR_MILLPOND_PROPAGATION';
  if (ambient === undefined) {
    return new UsageError(
      `With propagation '${propagation}' this must be called inside a transaction, and none is running.`,
      { code },
    );
  }
  if (ambient.scope.state !== 'active') return ambient.scope.closedError();
  return new UsageError(
    `With propagation '${propagation}' this must not be called inside ${ambient.scope.label}.`,
    { code },
  );
}

/**
 * A part cannot have more than the whole: not writes in a read-only transaction, not a stricter isolation.
 */
function assertFits(options: ResolvedTransactionOptions, ambient: TransactionView): void {
  const { label, transaction } = ambient.scope;
  const code = 'ERR_MILLPOND_PROPAGATION';
  // 'supports' takes whatever it finds.
  if (ambient.readOnly && !options.readOnly && options.propagation !== 'supports') {
    throw new UsageError(
      `${label} is read-only, and this part of it is not. ` +
        'Give it readOnly: true as well, or let the outer transaction write.',
      { code },
    );
  }
  const { isolation } = options;
  if (!options.foreignKeys && transaction.foreignKeys) {
    const message = `${label} checks foreign keys, so a part of it cannot do without`;
    throw new UsageError(`${message}. Ask for that where the transaction begins.`, { code });
  }
  if (isolation === undefined) return;
  const given = transaction.isolation;
  if (given === undefined || STRENGTH[given] < STRENGTH[isolation]) {
    const level = given === undefined ? "its engine's default" : `'${given}'`;
    const message = `${label} runs at ${level}, so a part of it cannot have '${isolation}'`;
    throw new UsageError(`${message}. Ask for that where the transaction begins.`, { code });
  }
}
