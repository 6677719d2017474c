import { describe, expect, it } from 'vitest';
import { numberPool, type NumberPool } from '../../test/fixtures/number-pool.ts';

async function forgetsToRelease({ pool }: NumberPool) {
  return pool.acquire();
}

describe('Pool: leaks (B11, C46)', () => {
  it("reports a lease held for too long, once, with its taker's stack", async () => {
    const made = numberPool({ leakAfterMs: 10_000 });
    await forgetsToRelease(made);
    made.clock.advance(9_999);
    expect(made.events.of('pool:leak')).toEqual([]);
    made.clock.advance(1);
    made.clock.advance(60_000);
    const [leak, ...more] = made.events.of('pool:leak');
    expect(more).toEqual([]);
    expect(leak).toMatchObject({ pool: 'main', heldMs: 10_000, holder: '' });
    expect(leak!.takenAt).toMatch(/^at .*forgetsToRelease.*pool-leaks\.test\.ts/);
  });

  it('says so when a reported lease comes back after all', async () => {
    const made = numberPool({ leakAfterMs: 10_000 });
    const lease = await forgetsToRelease(made);
    made.clock.advance(12_000);
    lease.release();
    const [returned] = made.events.of('pool:leak-returned');
    expect(returned).toMatchObject({ pool: 'main', heldMs: 12_000 });
    expect(returned!.takenAt).toContain('forgetsToRelease');
    (await made.pool.acquire()).release();
    expect(made.events.of('pool:leak-returned')).toHaveLength(1);
  });

  it('names the holder instead where one was given', async () => {
    const { pool, clock, events } = numberPool({ leakAfterMs: 10_000 });
    await pool.acquire({ holder: 'import' });
    clock.advance(10_000);
    expect(events.of('pool:leak')).toEqual([{ pool: 'main', heldMs: 10_000, holder: 'import', takenAt: '' }]);
  });

  it('reports the lease of a caller that had to wait, counted from when it got the lease', async () => {
    const made = numberPool({ max: 1, leakAfterMs: 1_000 });
    const first = await made.pool.acquire({ holder: 'first' });
    const waiting = forgetsToRelease(made);
    made.clock.advance(500);
    first.release();
    await waiting;
    made.clock.advance(999);
    expect(made.events.of('pool:leak')).toEqual([]);
    made.clock.advance(1);
    expect(made.events.of('pool:leak')[0]?.takenAt).toContain('forgetsToRelease');
  });

  it('reports nothing, captures nothing and sets no timer when it is off', async () => {
    const { pool, clock, events } = numberPool({ min: 1, leakAfterMs: 0, maxLifetimeMs: 0 });
    await pool.start();
    const lease = await pool.acquire();
    expect(clock.pending).toBe(0);
    expect(lease.takenAt).toBe('');
    clock.advance(1_000_000);
    expect(events.of('pool:leak')).toEqual([]);
  });

  it('captures only some stacks under load, and all of them after a leak it could not place', async () => {
    const { pool, clock, events } = numberPool({ leakAfterMs: 1_000, max: 500 });
    const leases = await Promise.all(Array.from({ length: 200 }, () => pool.acquire()));
    expect(leases.filter(({ takenAt }) => takenAt !== '')).toHaveLength(100);
    clock.advance(1_000);
    expect(events.of('pool:leak').at(-1)?.takenAt).toContain('not captured');
    const after = await Promise.all(Array.from({ length: 200 }, () => pool.acquire()));
    expect(after.filter(({ takenAt }) => takenAt !== '')).toHaveLength(200);
  });

  it('leaves the stack trace limit of the process as it was', async () => {
    const { pool } = numberPool();
    const before = Error.stackTraceLimit;
    await pool.acquire();
    expect(Error.stackTraceLimit).toBe(before);
  });
});
