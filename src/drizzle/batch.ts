import type { Queryable, RunResult } from '../driver/index.ts';
import type { Scope } from './scope.ts';

interface BatchWrite {
  readonly statement: readonly [text: string, params: readonly unknown[]];
  /** What drizzle gives for it. */
  toResult(done: RunResult): unknown;
}

/** One query of a batch. */
export interface BatchMember {
  readonly isRead: boolean;
  /** Set when nothing but the statement's effect is wanted. */
  readonly write: BatchWrite | undefined;
  execute(calls: Queryable): Promise<unknown>;
}

/**
 * All or nothing. Writes alone are one trip to the engine, which may share its commit with others; rows that
 * are to be mapped need a transaction, whose statements are still sent together; reads alone see one
 * snapshot.
 */
export async function runBatch(scope: Scope, members: readonly BatchMember[]): Promise<unknown[]> {
  const writes = members.map(({ write }) => write).filter((write) => write !== undefined);
  if (writes.length === members.length) {
    const results = await scope.calls.batch(writes.map(({ statement }) => statement));
    return results.map((done, index) => writes[index]!.toResult(done));
  }
  const readOnly = members.every(({ isRead }) => isRead);
  return scope.transaction((inner) => Promise.all(members.map((member) => member.execute(inner.calls))), {
    readOnly,
  });
}
