import type { Scheduler } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/async/index.ts';
import { Pool, resolvePoolOptions, type Lease, type PoolOptions } from '../../src/pool/index.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

const RUNS = scaled(300);

/** A resource that notices when two hold it at once, or when it is used after its end. */
class Resource {
  holders = 0;
  destroyed = 0;
  broken = false;
}

const quiet = { has: () => false, emit: () => {} };

/** Everything still to be decided by chance: what the outside world answers, and when. */
interface World {
  /** Settles in its own time; throws or says no as it likes. */
  answer(kind: 'create' | 'destroy' | 'ping' | 'reset'): Promise<boolean>;
}

function poolOf(options: PoolOptions, world: World) {
  const clock = new ManualClock();
  const made: Resource[] = [];
  const pool = new Pool<Resource>({
    name: 'main',
    factory: {
      async create() {
        if (!(await world.answer('create'))) throw new Error('refused');
        const resource = new Resource();
        made.push(resource);
        return resource;
      },
      async destroy(resource) {
        resource.destroyed += 1;
        if (!(await world.answer('destroy'))) throw new Error('stuck');
      },
      ping: () => world.answer('ping'),
      reset: () => world.answer('reset'),
      isUsable: (resource) => !resource.broken,
    },
    options: resolvePoolOptions(options),
    announce: quiet,
    clock,
  });
  return { pool, clock, made };
}

function expectCountsHold(pool: Pool<Resource>, { max = 10, maxOverflow = 0 }: PoolOptions): void {
  const { size, leased, idle, created, retired, connecting } = pool.stats();
  expect(leased + idle).toBe(size);
  expect(created - retired).toBe(size);
  expect(size + connecting).toBeLessThanOrEqual(max + maxOverflow);
  expect(pool.leases().length).toBeLessThanOrEqual(leased);
}

async function expectClosesCleanly(
  pool: Pool<Resource>,
  clock: ManualClock,
  made: Resource[],
): Promise<void> {
  const closed = pool.close({ timeoutMs: 100 });
  await clock.advanceAsync(120_000);
  await closed;
  expect(pool.stats()).toMatchObject({ size: 0, leased: 0, idle: 0, waiting: 0, connecting: 0 });
  expect(clock.pending).toBe(0);
  for (const resource of made) expect(resource.destroyed).toBe(1);
}

const options: fc.Arbitrary<PoolOptions> = fc.record({
  min: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 2, max: 4 }),
  maxOverflow: fc.integer({ min: 0, max: 2 }),
  maxWaiting: fc.constantFrom(0, 3, 100),
  pingAfterIdleMs: fc.constantFrom(0, 5, 1_000),
  idleTimeoutMs: fc.constantFrom(0, 20),
  maxLifetimeMs: fc.constantFrom(0, 50),
  keepaliveMs: fc.constantFrom(0, 15),
  leakAfterMs: fc.constantFrom(0, 30),
});

type Step =
  | { readonly do: 'acquire'; readonly timeoutMs: number }
  | { readonly do: 'tryAcquire' | 'suspend' | 'resume' | 'retireAll' }
  | { readonly do: 'release' | 'discard' | 'break' | 'abort'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'outage'; readonly is: boolean };

const which = fc.nat({ max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('acquire' as const), timeoutMs: fc.constantFrom(0, 10, 25) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('release' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('discard' as const, 'break' as const, 'abort' as const),
      which,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage' as const), is: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('tryAcquire' as const, 'suspend' as const, 'resume' as const, 'retireAll' as const),
    }),
  },
);

interface Call {
  readonly number: number;
  readonly controller: AbortController;
  settled: boolean;
}

/** Callers of a pool. What they must not see is written down as a fault. */
class Callers {
  readonly held: Lease<Resource>[] = [];
  readonly calls: Call[] = [];
  readonly faults: string[] = [];

  acquire(pool: Pool<Resource>, timeoutMs: number): void {
    const call: Call = { number: this.calls.length, controller: new AbortController(), settled: false };
    this.calls.push(call);
    pool.acquire({ timeoutMs, signal: call.controller.signal }).then(
      (lease) => {
        const overtaken = this.calls.find(({ number, settled }) => number < call.number && !settled);
        if (overtaken) this.faults.push(`${call.number} was served before ${overtaken.number}`);
        call.settled = true;
        this.hold(lease);
      },
      () => (call.settled = true),
    );
  }

  hold(lease: Lease<Resource>): void {
    const { resource } = lease;
    if (resource.holders > 0) this.faults.push('two hold one resource');
    if (resource.destroyed > 0) this.faults.push('a destroyed resource was lent');
    resource.holders += 1;
    this.held.push(lease);
  }

  release(index: number, how: 'reuse' | 'discard'): void {
    const [lease] = this.held.splice(index % Math.max(1, this.held.length), 1);
    if (lease === undefined) return;
    lease.resource.holders -= 1;
    lease.release(how);
    lease.release(how);
  }
}

describe('Pool against a model', () => {
  it(
    'keeps its counts, serves in order and loses nothing, whatever happens (B11, B20, C46)',
    async () => {
      await fc.assert(
        fc.asyncProperty(options, fc.array(step, { maxLength: 60 }), async (given, steps) => {
          let outage = false;
          let isSuspended = false;
          const { pool, clock, made } = poolOf(given, {
            answer: async (kind) => kind === 'destroy' || !outage,
          });
          const callers = new Callers();
          for (const next of steps) {
            outage = next.do === 'outage' ? next.is : outage;
            perform(next, { pool, clock, made, callers });
            expectCountsHold(pool, given);
            await clock.advanceAsync(0);
            expectCountsHold(pool, given);
            expect(pool.leases()).toHaveLength(callers.held.length);
            expect(callers.faults).toEqual([]);
            isSuspended = next.do === 'suspend' || (next.do !== 'resume' && isSuspended);
            // Pings and resets are answered by now, so nobody may be waiting beside an idle one.
            const { waiting, idle } = pool.stats();
            expect(isSuspended || waiting === 0 || idle === 0).toBe(true);
          }
          outage = false;
          pool.resume();
          while (callers.held.length > 0) callers.release(0, 'reuse');
          await clock.advanceAsync(30);
          while (callers.held.length > 0) callers.release(0, 'reuse');
          await clock.advanceAsync(10_000);
          expect(callers.faults).toEqual([]);
          expect(callers.calls.every(({ settled }) => settled)).toBe(true);
          expect(pool.stats()).toMatchObject({ waiting: 0, connecting: 0, leased: 0 });
          // And one more successful call.
          (await pool.acquire()).release();
          await expectClosesCleanly(pool, clock, made);
        }),
        { numRuns: RUNS },
      );
    },
    scaledTimeoutMs(),
  );
});

interface Scene {
  readonly pool: Pool<Resource>;
  readonly clock: ManualClock;
  readonly made: Resource[];
  readonly callers: Callers;
}

function perform(next: Step, { pool, clock, made, callers }: Scene): void {
  if (next.do === 'acquire') callers.acquire(pool, next.timeoutMs);
  else if (next.do === 'release') callers.release(next.which, 'reuse');
  else if (next.do === 'discard') callers.release(next.which, 'discard');
  else if (next.do === 'abort') callers.calls[next.which]?.controller.abort();
  else if (next.do === 'advance') clock.advance(next.ms);
  else if (next.do === 'suspend') pool.suspend();
  else if (next.do === 'resume') pool.resume();
  else if (next.do === 'retireAll') pool.retireAll('test');
  else if (next.do === 'break' && made[next.which] !== undefined) made[next.which]!.broken = true;
  else if (next.do === 'tryAcquire') {
    const lease = pool.tryAcquire();
    if (lease !== undefined) callers.hold(lease);
  }
}

describe('Pool under adversarial ordering', () => {
  it(
    'loses no connection to a timeout, an abort or a close that comes in the same step (C76)',
    async () => {
      const actors = fc.array(
        fc.record({
          timeoutMs: fc.constantFrom(0, 5, 10),
          how: fc.constantFrom('reuse', 'discard'),
          aborts: fc.boolean(),
        }),
        { minLength: 3, maxLength: 10 },
      );
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          options,
          actors,
          fc.array(fc.boolean()),
          async (scheduler, given, all, answers) => {
            const world: World = {
              // Attempts may fail; what is open answers, or not, when the scheduler lets it.
              answer: (kind) =>
                scheduler.schedule(Promise.resolve(kind === 'destroy' || (answers.shift() ?? true)), kind),
            };
            const { pool, clock, made } = poolOf({ ...given, max: 2 }, world);
            let granted = 0;
            let settled = 0;
            const act = async ({
              timeoutMs,
              how,
              aborts,
            }: {
              timeoutMs: number;
              how: string;
              aborts: boolean;
            }) => {
              await scheduler.schedule(Promise.resolve(), 'come');
              const controller = new AbortController();
              if (aborts) void scheduler.schedule(Promise.resolve(), 'abort').then(() => controller.abort());
              try {
                const lease = await pool.acquire({ timeoutMs, signal: controller.signal });
                granted += 1;
                const { resource } = lease;
                expect([resource.holders, resource.destroyed]).toEqual([0, 0]);
                resource.holders += 1;
                await scheduler.schedule(Promise.resolve(), 'work');
                resource.holders -= 1;
                lease.release(how as 'reuse' | 'discard');
                expectCountsHold(pool, { ...given, max: 2 });
              } catch (error) {
                if (!isExpected(error)) throw error;
              } finally {
                settled += 1;
              }
            };
            const done = Promise.all(all.map(act));
            await runWithTime(scheduler, clock, () => settled === all.length);
            await done;
            expect(pool.stats()).toMatchObject({ waiting: 0 });
            expect(pool.leases()).toEqual([]);
            expect(granted).toBeLessThanOrEqual(all.length);
            answers.length = 0;
            await runWithTime(scheduler, clock, () => pool.stats().leased === 0);
            const closed = pool.close();
            let isClosed = false;
            void closed.then(() => (isClosed = true));
            await runWithTime(scheduler, clock, () => isClosed);
            expect(pool.stats()).toMatchObject({ size: 0, connecting: 0 });
            for (const resource of made) expect(resource.destroyed).toBe(1);
            expect(clock.pending).toBe(0);
          },
        ),
        { numRuns: RUNS },
      );
    },
    scaledTimeoutMs(),
  );
});

/** The pool's own refusals, the factory's failure as the pool reports it, and an abort. */
function isExpected(error: unknown): boolean {
  return /No connection|could not open|lost a connection|aborted/.test(String(error));
}

/** Lets the scheduler choose what goes on, and the clock run when nothing else can. */
async function runWithTime(scheduler: Scheduler, clock: ManualClock, isOver: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isOver(); turn += 1) {
    if (scheduler.count() > 0) await scheduler.waitOne();
    // Time passes in between, so that deadlines fall at any point among the rest.
    if (scheduler.count() === 0 || turn % 3 === 0) await clock.advanceAsync(1);
  }
  expect(isOver()).toBe(true);
}
