import { eq, placeholder, sql, TransactionRollbackError } from 'drizzle-orm';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConstraintError, ReadOnlyError, TransactionClosedError, UsageError } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { clear, type OpenStage } from './drizzle-stage.ts';

/** P2 and the fence: one suite for both engines. */
export function drizzleSuite(engine: string, open: OpenStage): void {
  describe(`drizzle on ${engine}`, () => {
    const stage = open();
    const { users, posts } = stage.schema;
    beforeEach(() => clear(stage));

    const addUser = async (name: string) => {
      const [user] = await stage.orm
        .insert(users)
        .values({ name, email: `${name}@example.org` })
        .returning();
      return user!;
    };
    const names = async () => {
      const rows = await stage.orm.select({ name: users.name }).from(users).orderBy(users.name);
      return rows.map((row) => row.name);
    };

    describe('maps', () => {
      test('what it inserts, updates and deletes', async () => {
        const ada = await addUser('Ada');
        expect(ada).toMatchObject({ name: 'Ada', isAdmin: false, createdAt: expect.any(Date) });
        const [changed] = await stage.orm
          .update(users)
          .set({ isAdmin: true })
          .where(eq(users.id, ada.id))
          .returning({ isAdmin: users.isAdmin });
        expect(changed).toEqual({ isAdmin: true });
        expect(await stage.orm.update(users).set({ isAdmin: false })).toMatchObject({ rowsAffected: 1 });
        expect(await stage.orm.delete(users)).toMatchObject({ rowsAffected: 1 });
        expect(await names()).toEqual([]);
      });

      test('joins of columns with the same name, and rows that a left join does not find', async () => {
        const [ada, bob] = [await addUser('Ada'), await addUser('Bob')];
        await stage.orm.insert(posts).values({ authorId: ada.id, title: 'One', tags: ['x'] });
        const joined = await stage.orm
          .select()
          .from(users)
          .leftJoin(posts, eq(posts.authorId, users.id))
          .orderBy(users.name);
        expect(joined).toMatchObject([
          { users: { id: ada.id, name: 'Ada' }, posts: { title: 'One', tags: ['x'], authorId: ada.id } },
          { users: { id: bob.id, name: 'Bob' }, posts: null },
        ]);
      });

      test('relational queries, with what belongs to a row (P2)', async () => {
        const ada = await addUser('Ada');
        await stage.orm.insert(posts).values([
          { authorId: ada.id, title: 'One', tags: ['a'] },
          { authorId: ada.id, title: 'Two' },
        ]);
        const found = await stage.orm.query.users.findMany({
          with: { posts: { orderBy: posts.title, columns: { title: true, tags: true, createdAt: true } } },
        });
        expect(found).toMatchObject([
          { name: 'Ada', createdAt: ada.createdAt, posts: [{ title: 'One', tags: ['a'] }, { title: 'Two' }] },
        ]);
        expect(found[0]!.posts[0]!.createdAt).toBeInstanceOf(Date);
        const first = await stage.orm.query.posts.findFirst({
          where: eq(posts.title, 'Two'),
          with: { author: { columns: { name: true } } },
        });
        expect(first).toMatchObject({ title: 'Two', author: { name: 'Ada' } });
        expect(await stage.orm.query.posts.findFirst({ where: eq(posts.title, 'None') })).toBeUndefined();
      });

      test('prepared queries, counts, subqueries and expressions', async () => {
        await addUser('Ada');
        await addUser('Bob');
        const byName = stage.orm
          .select({ name: users.name })
          .from(users)
          .where(eq(users.name, placeholder('name')))
          .prepare();
        expect(await byName.execute({ name: 'Bob' })).toEqual([{ name: 'Bob' }]);
        expect(await byName.execute({ name: 'Zoe' })).toEqual([]);
        await expect(byName.execute({ nmae: 'Zoe' })).rejects.toThrow(UsageError);
        const post = stage.orm
          .insert(posts)
          .values({ authorId: 1, title: 'x', tags: placeholder('tags'), deletedAt: placeholder('deletedAt') })
          .prepare();
        await rejection((async () => post.execute({ tags: null, deletedAt: null }))()).then((error) =>
          expect(error).toMatchObject({ kind: 'foreign-key' }),
        );
        expect(await stage.orm.$count(users)).toBe(2);
        expect(await stage.orm.$count(users, eq(users.name, 'Ada'))).toBe(1);
        const upper = stage.orm
          .$with('upper')
          .as(stage.orm.select({ name: sql<string>`upper(${users.name})`.as('name') }).from(users));
        const shouted = await stage.orm
          .with(upper)
          .select()
          .from(upper)
          .orderBy(sql`${upper.name}`);
        expect(shouted).toEqual([{ name: 'ADA' }, { name: 'BOB' }]);
      });
    });

    describe('in transactions', () => {
      test("joins millpond's running transaction by itself, and its own are ours (P5)", async () => {
        const error = new Error('undo');
        const failed = stage.db.transaction(async (tx) => {
          await addUser('Ada');
          expect(await tx.value('select count(*) from users')).toEqual(
            expect.toSatisfy((n) => Number(n) === 1),
          );
          throw error;
        });
        await expect(failed).rejects.toBe(error);
        const inner = stage.orm.transaction(async (tx) => {
          await tx.insert(users).values({ name: 'Bob', email: 'bob' });
          await stage.db.run(`insert into users (name, email_address) values ('Cyd', 'cyd')`);
          expect(await names()).toEqual(['Bob', 'Cyd']);
          throw error;
        });
        await expect(inner).rejects.toBe(error);
        expect(await names()).toEqual([]);
        expect(
          await stage.orm.transaction(async (tx) =>
            tx
              .insert(users)
              .values({ name: 'Dan', email: 'd' })
              .then(() => 7),
          ),
        ).toBe(7);
        expect(await names()).toEqual(['Dan']);
      });

      test('nests as savepoints, by the handle and by the shared object', async () => {
        await stage.orm.transaction(async (tx) => {
          await tx.insert(users).values({ name: 'kept', email: 'kept' });
          const undone = tx.transaction(async (inner) => {
            await inner.insert(users).values({ name: 'undone', email: 'undone' });
            await inner.transaction((deeper) =>
              deeper.insert(users).values({ name: 'deeper', email: 'deeper' }),
            );
            inner.rollback();
          });
          await expect(undone).rejects.toThrow(TransactionRollbackError);
          const shared = stage.orm.transaction(async () => {
            await addUser('shared');
            throw new Error('undo');
          });
          await expect(shared).rejects.toThrow('undo');
          await tx.transaction((inner) => inner.insert(users).values({ name: 'second', email: 'second' }));
        });
        expect(await names()).toEqual(['kept', 'second']);
      });

      test('rolls back by tx.rollback()', async () => {
        const rolledBack = stage.orm.transaction(async (tx) => {
          await tx.insert(users).values({ name: 'Ada', email: 'ada' });
          tx.rollback();
        });
        await expect(rolledBack).rejects.toThrow(TransactionRollbackError);
        expect(await names()).toEqual([]);
      });

      test('refuses a late statement of its handle and of its flow (B4, C30)', async () => {
        let late: Promise<unknown>[] = [];
        const failed = stage.orm.transaction(async (tx) => {
          late = [
            sleep(20).then(() => tx.insert(users).values({ name: 'by handle', email: '1' })),
            sleep(20).then(() => stage.orm.insert(users).values({ name: 'by flow', email: '2' })),
            sleep(20).then(() =>
              tx.transaction((inner) => inner.insert(users).values({ name: 'n', email: '3' })),
            ),
            sleep(20).then(() => stage.orm.transaction((other) => other.delete(users))),
          ];
          for (const one of late) one.catch(() => undefined);
          await tx.insert(users).values({ name: 'Ada', email: 'ada' });
          throw new Error('undo');
        });
        await expect(failed).rejects.toThrow('undo');
        for (const outcome of await outcomes(late)) expect(outcome).toBeInstanceOf(TransactionClosedError);
        expect(await names()).toEqual([]);
        await expectAtRest(stage.db);
      });

      test('refuses a handle that outlived its transaction, from anywhere (B4)', async () => {
        const handles: Pick<typeof stage.orm, 'insert' | 'select' | 'batch' | 'transaction'>[] = [];
        await stage.orm.transaction(async (tx) => {
          handles.push(tx);
          await tx.transaction(async (inner) => void handles.push(inner));
        });
        for (const tx of handles) {
          const calls = [
            tx.insert(users).values({ name: 'late', email: 'late' }).execute(),
            tx.select().from(users).execute(),
            tx.batch([tx.insert(users).values({ name: 'late', email: 'late' })]),
            tx.transaction(async () => undefined),
          ];
          for (const outcome of await outcomes<unknown>(calls)) {
            expect(outcome).toBeInstanceOf(TransactionClosedError);
          }
        }
        expect(await names()).toEqual([]);
      });

      test('passes options on, in our words and in its own', async () => {
        const write = (options: Parameters<typeof stage.orm.transaction>[1]) =>
          stage.orm.transaction((tx) => tx.insert(users).values({ name: 'Ada', email: 'ada' }), options);
        await expect(write({ readOnly: true })).rejects.toThrow(ReadOnlyError);
        await expect(write({ accessMode: 'read only' })).rejects.toThrow(ReadOnlyError);
        await expect(write({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
        await expect(write({ behavior: 'exclusive' })).rejects.toThrow(UsageError);
        await expect(write({ deferrable: true })).rejects.toThrow(UsageError);
        await expect(write({ propagation: 'mandatory' })).rejects.toThrow(UsageError);
        const nested = stage.orm.transaction((tx) =>
          tx.transaction(async () => undefined, { isolationLevel: 'serializable' }),
        );
        await expect(nested).rejects.toThrow(/isolation is decided/);
        const alien = stage.orm.transaction((tx) =>
          tx.transaction(async () => undefined, { propagation: 'requires-new' }),
        );
        await expect(alien).rejects.toThrow(UsageError);
        const slow = stage.orm.transaction(() => sleep(5_000), { timeoutMs: 50 });
        await expect(slow).rejects.toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', rollback: 'confirmed' });
        await write({ isolationLevel: 'serializable', accessMode: 'read write', behavior: 'immediate' });
        expect(await names()).toEqual(['Ada']);
      });
    });

    describe('in batches', () => {
      test('writes and reads in order, each with its own result', async () => {
        const [inserted, all, updated, counted] = await stage.orm.batch([
          stage.orm.insert(users).values({ name: 'Ada', email: 'ada' }).returning({ name: users.name }),
          stage.orm.select({ name: users.name, isAdmin: users.isAdmin }).from(users),
          stage.orm.update(users).set({ isAdmin: true }),
          stage.orm.query.users.findFirst({ columns: { isAdmin: true } }),
        ]);
        expect(inserted).toEqual([{ name: 'Ada' }]);
        expect(all).toEqual([{ name: 'Ada', isAdmin: false }]);
        expect(updated).toMatchObject({ rowsAffected: 1 });
        expect(counted).toEqual({ isAdmin: true });
      });

      test.each(['writes alone', 'with a read'])('all or nothing: %s', async (kind) => {
        const twice = [
          stage.orm.insert(users).values({ name: 'Ada', email: 'same' }),
          stage.orm.insert(users).values({ name: 'Bob', email: 'same' }),
        ] as const;
        const batch =
          kind === 'writes alone'
            ? stage.orm.batch(twice)
            : stage.orm.batch([...twice, stage.orm.select().from(users)]);
        await expect(batch).rejects.toThrow(ConstraintError);
        expect(await names()).toEqual([]);
      });

      test('inside a transaction undoes itself, not the transaction', async () => {
        await stage.orm.transaction(async (tx) => {
          await tx.batch([tx.insert(users).values({ name: 'kept', email: 'kept' })]);
          const failed = tx.batch([
            tx.insert(users).values({ name: 'one', email: 'one' }).returning(),
            tx.insert(users).values({ name: 'two', email: 'kept' }).returning(),
          ]);
          await expect(failed).rejects.toThrow(ConstraintError);
          expect(await tx.batch([tx.select({ name: users.name }).from(users)])).toEqual([[{ name: 'kept' }]]);
        });
        expect(await names()).toEqual(['kept']);
      });
    });

    test('errors are ours, with the original as their cause, and no bound value in them (B10)', async () => {
      await addUser('canary');
      for (const attempt of [
        () => addUser('canary'),
        () =>
          stage.orm.transaction((tx) =>
            tx.insert(users).values({ name: 'canary', email: 'canary@example.org' }),
          ),
        () =>
          stage.orm.batch([stage.orm.insert(users).values({ name: 'canary', email: 'canary@example.org' })]),
      ]) {
        const error = await rejection(attempt());
        expect(error).toBeInstanceOf(ConstraintError);
        expect(error).toMatchObject({ kind: 'unique', table: 'users', columns: ['email_address'] });
        expect(error.cause).toBeDefined();
        expect(`${error.message}${error.stack}`).not.toContain('canary');
      }
      const missing = await rejection(
        (async () =>
          stage.orm
            .select({ x: sql`no_such_column` })
            .from(users)
            .where(eq(users.name, 'canary')))(),
      );
      expect(missing).toMatchObject({ code: 'ERR_MILLPOND_QUERY' });
      expect(missing.message).not.toContain('canary');
      await expectAtRest(stage.db);
    });
  });
}
