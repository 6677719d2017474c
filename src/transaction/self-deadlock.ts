import { SelfDeadlockError, UsageError } from '../errors/index.ts';
import { usersFrames } from '../stack/index.ts';
import { formatStack } from './call-site.ts';
import { findHeld } from './context.ts';
import type { Scope } from './scope.ts';
import type { TransactionView } from './transaction-view.ts';

/**
 * For engines with one writer: refuses what would wait for a writer that this very flow holds. The flow has
 * stepped out of its transaction, which cannot end before the call returns.
 * @param what what was asked for, in words: `A write outside the transaction`
 */
export function assertNoSelfDeadlock(databaseKey: object, what: string): void {
  const holder = findHeld((view) => isOf(view, databaseKey) && !view.scope.transaction.readOnly);
  if (holder === undefined) return;
  throw selfDeadlock(
    `${what} needs the only writer of the database, and would wait for ever: ` +
      `${holder.scope.transaction.root.label} of the same flow holds it. ` +
      'Do it inside that transaction, after it, or in onCommit().',
    holder.scope,
  );
}

/** Refuses to wait for a connection where all are taken and this flow itself holds one of them. */
export function assertNotStarving(
  databaseKey: object,
  request: {
    readonly what: string;
    readonly hasRoom: () => boolean;
    readonly competes: (readOnly: boolean) => boolean;
  },
): void {
  const holder = findHeld(
    (view) => isOf(view, databaseKey) && request.competes(view.scope.transaction.readOnly),
  );
  if (holder === undefined || request.hasRoom()) return;
  throw selfDeadlock(
    `${request.what} needs another connection, but none is free, and ` +
      `${holder.scope.transaction.root.label} of the same flow would hold one while it waits. ` +
      'Join that transaction, or make the pool larger.',
    holder.scope,
  );
}

/**
 * Refuses to wait for the end of the savepoint `open` where it cannot come before the call itself has
 * returned.
 */
export function assertMakesWay(open: Scope): void {
  const { transaction, depth, label } = open;
  if (open.manual) {
    throw new UsageError(
      `${label} is open, so what is around it cannot be used. Use the savepoint's handle, or end it first.`,
    );
  }
  const inside = findHeld(({ scope }) => scope.transaction === transaction && scope.depth >= depth);
  if (inside === undefined) return;
  throw selfDeadlock(
    `A call on the outer transaction from inside ${label} would wait for ever. ` +
      'Use the handle that the inner function was given, or the database itself, which finds it.',
    open,
  );
}

function selfDeadlock(message: string, holder: Scope): SelfDeadlockError {
  const all = formatStack(holder.site);
  // Ours tell a user nothing; but where there are no others, they are better than none.
  const users = usersFrames(all).map((frame) => `    at ${frame}`);
  const held = users.length > 0 ? users.join('\n') : all;
  return new SelfDeadlockError(`${message}\nHeld since this call:\n${held}\nAsked for by this call:`);
}

function isOf(view: TransactionView, databaseKey: object): boolean {
  return view.scope.transaction.environment.databaseKey === databaseKey;
}
