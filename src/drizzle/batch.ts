import type { Queryable } from '../driver/index.ts';
import type { Scope } from './scope.ts';

/** One query of a batch. */
export interface BatchMember {
  readonly isRead: boolean;
  /** The statement, when nothing but its effect is wanted. */
  readonly write: readonly [text: string, params: readonly unknown[]] | undefined;
  execute(calls: Queryable): Promise<unknown>;
}

/**
 * All or nothing. Writes alone are one trip to the engine, which may share its commit with others; rows that
 * are to be mapped need a transaction, whose statements still go together; reads alone see one snapshot.
 */
export async function runBatch(scope: Scope, members: readonly BatchMember[]): Promise<unknown[]> {
  const writes = members.map(({ write }) => write).filter((write) => write !== undefined);
  if (writes.length === members.length) {
    const results = await scope.calls.batch(writes);
    return results.map(({ rowsAffected, lastInsertId }) =>
      lastInsertId === undefined ? { rowsAffected } : { rowsAffected, lastInsertId },
    );
  }
  const readOnly = members.every(({ isRead }) => isRead);
  return scope.transaction((inner) => Promise.all(members.map((member) => member.execute(inner.calls))), {
    readOnly,
  });
}
