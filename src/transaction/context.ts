import { AsyncLocalStorage } from 'node:async_hooks';
import type { TransactionView } from './transaction-view.ts';

/**
 * One step of an asynchronous flow into a transaction, or out of one. Nodes never change; the chain of
 * parents is the whole history of the flow, so that several databases can have transactions side by side, and
 * what a flow stepped out of is still known to be held by it.
 */
export interface ContextNode {
  /** The database that it is about; `undefined` means all of them. */
  readonly databaseKey: object | undefined;
  /** The transaction that calls join; `undefined`: none, the flow stepped out. */
  readonly view: TransactionView | undefined;
  readonly parent: ContextNode | undefined;
}

const storage = new AsyncLocalStorage<ContextNode | undefined>();

/**
 * The transaction that a call on this database joins. It may have ended: then the call is refused, not sent
 * elsewhere.
 */
export function currentTransaction(databaseKey: object): TransactionView | undefined {
  for (let node = storage.getStore(); node !== undefined; node = node.parent) {
    if (node.databaseKey === databaseKey) return node.view;
    if (node.databaseKey === undefined) return undefined;
  }
  return undefined;
}

/**
 * Steps out of the running transactions of every database for the length of `work`: its calls are not part of
 * them, and are neither undone with them nor refused after their end.
 */
export function withoutTransaction<T>(work: () => T): T {
  return storage.run(steppedOut(storage.getStore()), work);
}

export function currentContext(): ContextNode | undefined {
  return storage.getStore();
}

export function runInContext<T>(node: ContextNode | undefined, work: () => T): T {
  return storage.run(node, work);
}

/** The node for work inside `view`, or outside any transaction of this database when there is none. */
export function contextWith(databaseKey: object, view: TransactionView | undefined): ContextNode {
  let parent = storage.getStore();
  // The chain of a flow that goes from one ended transaction to the next for ever (a timer that re-arms
  // itself) must not grow.
  while (parent !== undefined && parent.databaseKey === databaseKey && !isOpen(parent))
    parent = parent.parent;
  return { databaseKey, view, parent };
}

/** A node outside all transactions that still knows which ones its flow holds. */
export function steppedOut(node: ContextNode | undefined): ContextNode | undefined {
  const held: ContextNode[] = [];
  for (let at = node; at !== undefined; at = at.parent) if (isOpen(at)) held.push(at);
  if (held.length === 0) return undefined;
  let parent: ContextNode | undefined;
  for (const { databaseKey, view } of held.reverse()) parent = { databaseKey, view, parent };
  return { databaseKey: undefined, view: undefined, parent };
}

/** The innermost transaction of whichever database, as `onCommit` sees it. */
export function nearestTransaction(): TransactionView | undefined {
  const left = new Set<object>();
  for (let node = storage.getStore(); node !== undefined; node = node.parent) {
    if (node.databaseKey === undefined) return undefined;
    if (node.view !== undefined && !left.has(node.databaseKey)) return node.view;
    left.add(node.databaseKey);
  }
  return undefined;
}

/**
 * True in a flow that is in no transaction of any database, and was in none, which most are: one question
 * instead of one for each database.
 */
export function isOutsideTransactions(): boolean {
  return storage.getStore() === undefined;
}

/** True inside a transaction, of whichever database, that may write; also inside one that has ended since. */
export function isInWritingTransaction(): boolean {
  let node = storage.getStore();
  // Most calls are in none, and this is asked at each of them.
  if (node === undefined) return false;
  const seen = new Set<object>();
  for (; node !== undefined; node = node.parent) {
    if (node.databaseKey === undefined) return false;
    // Only the innermost node of each database says where its calls go.
    if (seen.has(node.databaseKey)) continue;
    seen.add(node.databaseKey);
    if (node.view?.scope.transaction.readOnly === false) return true;
  }
  return false;
}

/**
 * The innermost open transaction in which this flow runs and which `matches`, those it stepped out of
 * included.
 */
export function findHeld(matches: (view: TransactionView) => boolean): TransactionView | undefined {
  for (let node = storage.getStore(); node !== undefined; node = node.parent) {
    if (isOpen(node) && matches(node.view!)) return node.view;
  }
  return undefined;
}

function isOpen(node: ContextNode): boolean {
  return node.view?.scope.state === 'active';
}
