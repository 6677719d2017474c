import { Kysely, sql, type Generated } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ConstraintError,
  ReadOnlyError,
  TransactionClosedError,
  UsageError,
  type Database,
} from '../../../src/index.ts';
import { MillpondDialect } from '../../../src/kysely/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';

export interface Tables {
  readonly users: { id: Generated<number>; name: string; email: string };
}

export interface KyselyStage {
  readonly db: Database;
  readonly kysely: Kysely<Tables>;
  /** A statement that runs for a long time, and its name for a message. */
  readonly endless: string;
}

/** One suite for both engines; `open` registers what opens and closes the database. */
export function kyselySuite(engine: string, open: () => KyselyStage): void {
  describe(`kysely on ${engine}`, () => {
    const stage = open();
    beforeEach(() => stage.db.run('delete from users'));

    const add = (name: string, kysely: Kysely<Tables> = stage.kysely) =>
      kysely.insertInto('users').values({ name, email: name }).execute();
    const names = async () => {
      const rows = await stage.kysely.selectFrom('users').select('name').orderBy('name').execute();
      return rows.map((row) => row.name);
    };

    describe('runs queries', () => {
      test('of every kind, with what each is to give', async () => {
        const inserted = await stage.kysely
          .insertInto('users')
          .values({ name: 'Ada', email: 'ada' })
          .returningAll()
          .executeTakeFirstOrThrow();
        expect(inserted).toEqual({ id: expect.any(Number), name: 'Ada', email: 'ada' });
        const [done] = await add('Bob');
        expect(done!.numInsertedOrUpdatedRows).toBe(1n);
        const updated = await stage.kysely
          .updateTable('users')
          .set({ email: 'x' })
          .where('name', '=', 'Ada')
          .execute();
        expect(updated[0]!.numUpdatedRows).toBe(1n);
        const joined = await stage.kysely
          .selectFrom('users as a')
          .innerJoin('users as b', 'a.id', 'b.id')
          .select(['a.name', 'b.email as mail'])
          .where('a.name', '=', 'Ada')
          .execute();
        expect(joined).toEqual([{ name: 'Ada', mail: 'x' }]);
        const gone = await stage.kysely
          .deleteFrom('users')
          .where('name', '=', 'Ada')
          .returning('name')
          .execute();
        expect(gone).toEqual([{ name: 'Ada' }]);
        const deleted = await stage.kysely.deleteFrom('users').executeTakeFirst();
        expect(deleted.numDeletedRows).toBe(1n);
      });

      test('that are written by hand, with rows, and without', async () => {
        const inserted = await sql`insert into users (name, email) values (${'Ada'}, ${'ada'})`.execute(
          stage.kysely,
        );
        expect(inserted).toMatchObject({ rows: [], numAffectedRows: 1n });
        const read = await sql<{ name: string }>`select name from users where name = ${'Ada'}`.execute(
          stage.kysely,
        );
        expect(read.rows).toEqual([{ name: 'Ada' }]);
        await stage.kysely.transaction().execute(async (trx) => {
          await sql`create table made_here (a int)`.execute(trx);
          expect((await sql`insert into made_here values (1), (2)`.execute(trx)).numAffectedRows).toBe(2n);
          expect((await sql`select a from made_here order by a`.execute(trx)).rows).toEqual([
            { a: 1 },
            { a: 2 },
          ]);
          await sql`drop table made_here`.execute(trx);
        });
      });

      test('at once: none waits for another (S1)', async () => {
        await Promise.all(Array.from({ length: 50 }, (_, index) => add(`user ${index}`)));
        expect(await names()).toHaveLength(50);
      });

      test('as streams, in chunks, left early or read to their end', async () => {
        await Promise.all(Array.from({ length: 25 }, (_, index) => add(`user ${index}`)));
        const all: string[] = [];
        for await (const row of stage.kysely.selectFrom('users').select('name').stream(10))
          all.push(row.name);
        expect(all).toHaveLength(25);
        for await (const row of stage.kysely.selectFrom('users').select('name').stream(10)) {
          expect(row.name).toContain('user');
          break;
        }
        await expectAtRest(stage.db);
      });

      test('and schema statements, whose result introspection sees', async () => {
        await stage.kysely.schema
          .createTable('seen')
          .addColumn('id', 'integer', (column) => column.primaryKey())
          .addColumn('name', 'text', (column) => column.notNull())
          .execute();
        const tables = await stage.kysely.introspection.getTables();
        const seen = tables.find((table) => table.name === 'seen');
        expect(seen!.columns.map((column) => [column.name, column.isNullable])).toEqual([
          ['id', engine === 'SQLite'],
          ['name', false],
        ]);
        await stage.kysely.schema.dropTable('seen').execute();
      });
    });

    describe('in transactions', () => {
      test('commits what resolves, and rolls back what rejects, with the same error', async () => {
        expect(await stage.kysely.transaction().execute((trx) => add('Ada', trx).then(() => 7))).toBe(7);
        const error = new Error('undo');
        const failed = stage.kysely.transaction().execute(async (trx) => {
          await add('Bob', trx);
          throw error;
        });
        await expect(failed).rejects.toBe(error);
        expect(await names()).toEqual(['Ada']);
        await expectAtRest(stage.db);
      });

      test("joins millpond's running transaction, and nests in it as a savepoint (P5)", async () => {
        const failed = stage.db.transaction(async () => {
          await add('Ada');
          await stage.kysely.transaction().execute((trx) => add('Bob', trx));
          const undone = stage.kysely.transaction().execute(async (trx) => {
            await add('undone', trx);
            throw new Error('inner');
          });
          await expect(undone).rejects.toThrow('inner');
          expect((await sql`select 1 as one from users`.execute(stage.kysely)).rows).toHaveLength(2);
          throw new Error('outer');
        });
        await expect(failed).rejects.toThrow('outer');
        expect(await names()).toEqual([]);
        await stage.db.transaction(() => stage.kysely.transaction().execute((trx) => add('kept', trx)));
        expect(await names()).toEqual(['kept']);
      });

      test('that are controlled, with savepoints: rolled back to, released, and left open', async () => {
        const trx = await stage.kysely.startTransaction().execute();
        await add('first', trx);
        const one = await trx.savepoint('one').execute();
        await add('undone', one);
        const two = await one.savepoint('two').execute();
        await add('deeper', two);
        await two.rollbackToSavepoint('one').execute();
        await add('undone again', one);
        await one.rollbackToSavepoint('one').execute();
        await add('after', one);
        const three = await one.savepoint('three').execute();
        await add('released', three);
        await three.releaseSavepoint('three').execute();
        await trx.savepoint('open').execute();
        await add('open', trx);
        await trx.commit().execute();
        expect(trx.isCommitted).toBe(true);
        expect(await names()).toEqual(['after', 'first', 'open', 'released']);
        await expectAtRest(stage.db);
      });

      test('that are controlled, and rolled back with savepoints open', async () => {
        const trx = await stage.kysely.startTransaction().execute();
        await add('first', trx);
        const one = await trx.savepoint('one').execute();
        await add('second', one);
        await expect(one.releaseSavepoint('nobody' as 'one').execute()).rejects.toThrow(UsageError);
        await one.rollback().execute();
        expect(await names()).toEqual([]);
        await expect(add('late', trx)).rejects.toThrow(/rolled back/);
        await expectAtRest(stage.db);
      });

      test('with an access mode and an isolation level', async () => {
        const readOnly = stage.kysely.transaction().setAccessMode('read only');
        await expect(readOnly.execute((trx) => add('Ada', trx))).rejects.toThrow(ReadOnlyError);
        await stage.kysely
          .transaction()
          .setIsolationLevel('serializable')
          .setAccessMode('read write')
          .execute((trx) => add('Ada', trx));
        const snapshot = stage.kysely.transaction().setIsolationLevel('snapshot');
        await expect(snapshot.execute(async () => 1)).rejects.toThrow(UsageError);
        expect(await names()).toEqual(['Ada']);
      });

      test('that are forgotten end by their limit, and refuse what comes after (B5)', async () => {
        const limited = stage.db.transaction(
          async () => {
            const trx = await stage.kysely.startTransaction().execute();
            await add('late', trx);
            await sleep(5_000);
          },
          { timeoutMs: 100 },
        );
        await expect(limited).rejects.toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT' });
        expect(await names()).toEqual([]);
        await expectAtRest(stage.db);
      });

      test('refuse a late query of the flow of a transaction that rolled back (B4)', async () => {
        let late: Promise<unknown>[] = [];
        const failed = stage.db.transaction(async () => {
          late = [
            sleep(20).then(() => add('late')),
            sleep(20).then(() => stage.kysely.transaction().execute((trx) => add('late', trx))),
            sleep(20).then(() => sql`delete from users`.execute(stage.kysely)),
          ];
          for (const one of late) one.catch(() => undefined);
          throw new Error('undo');
        });
        await expect(failed).rejects.toThrow('undo');
        for (const outcome of await outcomes(late)) expect(outcome).toBeInstanceOf(TransactionClosedError);
        expect(await names()).toEqual([]);
      });
    });

    describe('when aborted', () => {
      test('really stops the statement, whatever the strategy', async () => {
        for (const inflightQueryAbortStrategy of ['ignore query', 'cancel query'] as const) {
          const controller = new AbortController();
          const reason = new Error('enough');
          const began = performance.now();
          const query = sql`${sql.raw(stage.endless)}`.compile(stage.kysely);
          const running = stage.kysely.executeQuery(query, {
            signal: controller.signal,
            inflightQueryAbortStrategy,
          });
          setTimeout(() => controller.abort(reason), 150);
          await expect(running).rejects.toBe(reason);
          expect(performance.now() - began).toBeLessThan(10_000);
          // Not only is the caller gone: nothing runs any more.
          await expectAtRest(stage.db);
        }
      });

      test('stops a stream, and a query in a transaction that goes on', async () => {
        await add('Ada');
        const aborted = AbortSignal.abort(new Error('never'));
        await expect(
          stage.kysely.selectFrom('users').selectAll().execute({ signal: aborted }),
        ).rejects.toThrow('never');
        const controller = new AbortController();
        const read = async () => {
          const stream = stage.kysely
            .selectFrom('users')
            .selectAll()
            .stream({ chunkSize: 1, signal: controller.signal });
          for await (const row of stream) {
            expect(row.name).toBe('Ada');
            controller.abort(new Error('enough'));
          }
        };
        await expect(read()).rejects.toThrow('enough');
        await expectAtRest(stage.db);
      });
    });

    describe("runs Kysely's migrations", () => {
      const creates = (table: string): Migration => ({
        up: async (kysely) => kysely.schema.createTable(table).addColumn('id', 'integer').execute(),
        down: async (kysely) => kysely.schema.dropTable(table).execute(),
      });
      const migrator = (migrations: Record<string, Migration>, disableTransactions = false) =>
        new Migrator({
          db: new Kysely<unknown>({ dialect: new MillpondDialect(stage.db) }),
          provider: { getMigrations: async () => migrations },
          disableTransactions,
        });
      const tables = async () => (await stage.kysely.introspection.getTables()).map(({ name }) => name);
      /** No lock was left behind, and none is waited for. */
      const undo = async (migrations: Record<string, Migration>) => {
        for (const _ of Object.keys(migrations)) await migrator(migrations).migrateDown();
        await stage.db.script('drop table kysely_migration; drop table kysely_migration_lock');
        await expectAtRest(stage.db);
      };

      test.each(engine === 'PostgreSQL' ? [false, true] : [false])(
        'once, also when three start together (C54), without transactions: %s',
        async (without) => {
          const both = { first: creates('a'), second: creates('b') };
          const runs = [1, 2, 3].map(() => migrator(both, without).migrateToLatest());
          const results = await Promise.all(runs);
          expect(results.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
          const applied = results.flatMap(({ results: one }) =>
            one!.map(({ migrationName }) => migrationName),
          );
          expect(applied).toEqual(['first', 'second']);
          expect(await tables()).toEqual(expect.arrayContaining(['a', 'b']));
          await undo(both);
        },
      );

      test('all or nothing, with the error of the one that failed', async () => {
        const fails = { up: () => Promise.reject(new Error('no such idea')) };
        const { error, results } = await migrator({ first: creates('a'), second: fails }).migrateToLatest();
        expect(error).toMatchObject({ message: 'no such idea' });
        expect(results!.map(({ status }) => status)).toEqual(['Success', 'Error']);
        expect(await tables()).not.toContain('a');
        const inside = stage.kysely.transaction().execute(async (trx) => {
          const { error: none } = await new Migrator({
            db: trx,
            provider: { getMigrations: async () => ({ first: creates('a') }) },
          }).migrateToLatest();
          return none;
        });
        expect(await inside).toBeUndefined();
        await undo({ first: creates('a') });
      });
    });

    test('errors are ours, and no bound value is in them (B10)', async () => {
      await add('canary');
      const error = await rejection(add('canary'));
      expect(error).toBeInstanceOf(ConstraintError);
      expect(error).toMatchObject({ kind: 'unique', table: 'users', columns: ['email'] });
      expect(error.message).not.toContain('canary');
      await stage.kysely.destroy();
      expect(await stage.db.value('select 1')).toBe(1);
    });
  });
}
