import { describe, expectTypeOf, test } from 'vitest';
import type { CallOptions } from '../../src/driver/index.ts';
import type { Job, JobsNotesRow, Queries } from './generated-queries.ts';

declare const queries: Queries;

describe('D17: generated queries', () => {
  test('give what their marks and the schema say', () => {
    expectTypeOf<Job>().toEqualTypeOf<{
      readonly id: number;
      readonly name: string;
      readonly queue: string | null;
    }>();
    expectTypeOf(queries.jobs.getJob({ id: 1 })).toEqualTypeOf<Promise<Job | undefined>>();
    expectTypeOf(queries.jobs.listJobs({ limit: 1 })).toEqualTypeOf<Promise<Job[]>>();
    expectTypeOf(queries.jobs.listJobs.stream({ limit: 1 })).toEqualTypeOf<AsyncIterableIterator<Job>>();
    expectTypeOf(queries.jobs.countJobs()).toEqualTypeOf<Promise<number>>();
    expectTypeOf(queries.latest()).toEqualTypeOf<Promise<number | string | null>>();
    expectTypeOf(queries.jobs.addJob({ job: { name: 'a', queue: null } })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(queries.jobs.addJobs([{ id: 1, name: 'a', due: new Date() }])).toEqualTypeOf<
      Promise<number>
    >();
    expectTypeOf(queries.jobs.rename({ id: 1n, name: 'a' })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(queries.jobs.reset()).toEqualTypeOf<Promise<void>>();
    expectTypeOf<JobsNotesRow['doc']>().toEqualTypeOf<{ readonly a: number }>();
    expectTypeOf<JobsNotesRow['note']>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<Queries['jobs']['countJobs']>>().toEqualTypeOf<
      [params?: undefined, options?: CallOptions]
    >();
  });

  test('take optional parts, lists and choices', () => {
    type Params = Parameters<Queries['jobs']['listJobs']>[0];
    expectTypeOf<Params['sort']>().toEqualTypeOf<'newest' | 'by-name' | undefined>();
    expectTypeOf<Params['ids']>().toEqualTypeOf<readonly (number | bigint)[] | undefined>();
    void (() => queries.jobs.listJobs({ limit: 1, sort: 'by-name', ids: [1, 2n], queue: 'a', due: true }));
    void (() => queries.jobs.listJobs({ limit: 1 }, { timeoutMs: 5 }));
  });

  test('do not compile when they are used wrongly', () => {
    expectTypeOf<Parameters<Queries['jobs']['getJob']>[0]>().toEqualTypeOf<{
      readonly id: number | bigint;
    }>();
    // @ts-expect-error -- a parameter is missing
    void (() => queries.jobs.getJob({}));
    // @ts-expect-error -- all of them are
    void (() => queries.jobs.getJob());
    // @ts-expect-error -- no such parameter
    void (() => queries.jobs.getJob({ id: 1, name: 'a' }));
    // @ts-expect-error -- a number
    void (() => queries.jobs.getJob({ id: '1' }));
    // @ts-expect-error -- never null
    void (() => queries.jobs.getJob({ id: null }));
    // @ts-expect-error -- one of the choices
    void (() => queries.jobs.listJobs({ limit: 1, sort: 'id; drop table jobs' }));
    // @ts-expect-error -- a list
    void (() => queries.jobs.listJobs({ limit: 1, ids: 1 }));
    // @ts-expect-error -- no such query
    void (() => queries.jobs.getJobs());
    // @ts-expect-error -- an array of items
    void (() => queries.jobs.addJobs({ id: 1, name: 'a', due: null }));
    // @ts-expect-error -- one of two names
    void (() => queries.jobs.rename({ id: 1, name: 'c' }));
    // @ts-expect-error -- no parameters
    void (() => queries.jobs.countJobs({ id: 1 }));
    // @ts-expect-error -- may be undefined
    void (async (): Promise<Job> => queries.jobs.getJob({ id: 1 }));
  });
});
