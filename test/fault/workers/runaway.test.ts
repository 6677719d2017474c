import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';
import { sourceWithoutExtension } from '../../fixtures/source-copy.ts';

interface Told {
  readonly afterMs: number;
  readonly error: string;
  readonly cancellation?: string;
  readonly rollback?: string;
}

interface Beside {
  readonly result: Told[];
  readonly slowestReadMs: number;
  readonly reads: number;
  readonly writes: number;
}

interface Result {
  readonly limitMs: number;
  /** How long such a statement takes on this machine when nobody ends it. */
  readonly silentMs: number;
  readonly cancellation: string;
  /** Before anything else ran: nothing that goes on without its caller is in their way. */
  readonly first: Beside;
  readonly onReader: Beside;
  readonly many: Beside;
  readonly rows: Told;
  readonly signal: Told;
  readonly inReadTransaction: Told;
  readonly onWriter: Told;
  readonly inTransaction: Told;
  readonly shrugged: Told;
  readonly writerBackAfterMs: number;
  readonly left: { id: number }[];
  readonly leased: number;
  readonly waiting: number;
  readonly closeMs: number;
}

/** A busy machine: threads that nothing stops go on using its cores. */
const LIMIT_MS = 120_000;

/**
 * The limit, the grace of a cancellation, and a busy machine: the slower it is, the longer anything takes,
 * but never as long as waiting for the statement would.
 */
function boundMs({ limitMs, silentMs }: Result): number {
  return limitMs + Math.max(750, silentMs / 2);
}

function run(door: string): Promise<Result> {
  const script = new URL('scripts/runaway.ts', import.meta.url);
  return resultOf<Result>(script, { args: [door], limitMs: LIMIT_MS });
}

/** What holds at every level: callers are bounded, others are not held up, and nothing that timed out is written. */
function expectBounded(result: Result): void {
  const { onReader, many, rows, signal, inReadTransaction, onWriter } = result;
  const bounded = [...onReader.result, ...many.result, rows, inReadTransaction, onWriter];
  for (const told of bounded) {
    expect(told.error).toBe('TimeoutError');
    expect(told.afterMs).toBeLessThan(boundMs(result));
  }
  expect(signal.error).toBe('DOMException');
  expect(signal.afterMs).toBeLessThan(boundMs(result));
  for (const { slowestReadMs, reads, writes } of [onReader, many]) {
    // Threads that nothing stops go on using the cores; a read behind one of them would take as long as it does.
    expect(slowestReadMs).toBeLessThan(boundMs(result));
    expect(reads).toBeGreaterThan(2);
    expect(writes).toBeGreaterThan(0);
  }
  expect(result.left).toEqual([{ id: 2_000_000 }]);
  expect(result).toMatchObject({ leased: 0, waiting: 0 });
  expect(result.closeMs).toBeLessThan(boundMs(result) + 2_500);
}

describe('a statement that would run for ever', { timeout: LIMIT_MS + 10_000 }, () => {
  test('is interrupted at its limit, on a reader and on the writer, where the extension is built (C23, X3)', async () => {
    const result = await run(fileURLToPath(new URL('../../../src/index.ts', import.meta.url)));
    expectBounded(result);
    expect(result.cancellation).toBe('interrupt');
    expect(result.onReader.result.map((told) => told.cancellation)).toContain('interrupt');
    expect(result.rows.cancellation).toBe('interrupt');
    expect(result.onWriter).toMatchObject({ cancellation: 'interrupt', rollback: 'confirmed' });
    expect(result.inReadTransaction.rollback).toBe('confirmed');
    expect(result.inTransaction).toMatchObject({ error: 'TimeoutError', rollback: 'confirmed' });
    expect(result.shrugged.error).toBe('TransactionClosedError');
    expect(result.writerBackAfterMs).toBeLessThan(boundMs(result));
  });

  test('is stopped between two rows, or waited for no longer, where there is no extension (C23)', async () => {
    const result = await run(sourceWithoutExtension());
    expectBounded(result);
    expect(result.cancellation).toBe('row');
    expect(result.rows.cancellation).toBe('row');
    // Those that come later may wait, until their limit, for a reader that nothing stops.
    expect(result.first.result.map((told) => told.cancellation)).toContain('abandon');
    // Nothing stops a write that gives no rows: it ends first, and is undone then.
    expect(result.onWriter).toMatchObject({ cancellation: 'abandon', rollback: 'pending' });
    expect(result.inTransaction).toMatchObject({ error: 'TimeoutError', rollback: 'pending' });
    expect(result.shrugged.error).toBe('TransactionClosedError');
  });
});
