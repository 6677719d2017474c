import { desc, gt, sql } from 'drizzle-orm';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  Repository,
  repository,
  VersionConflictError,
  type KeysetPage,
  type RowOf,
} from '../../../src/drizzle/index.ts';
import { ConstraintError, TransactionClosedError, UsageError } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { clear, type OpenStage } from './drizzle-stage.ts';

const ADA = { name: 'Ada', email: 'ada@example.org' };
const BOB = { name: 'Bob', email: 'bob@example.org' };

/** P11, P5, P10: one suite for both engines. */
export function repositorySuite(engine: string, open: OpenStage): void {
  describe(`a repository on ${engine}`, () => {
    const stage = open();
    const { users: userTable, posts: postTable, memberships: membershipTable } = stage.schema;
    const users = () => repository(stage.db, userTable);
    const posts = () => repository(stage.db, postTable);
    const memberships = () => repository(stage.db, membershipTable, { key: ['userId', 'groupId'] });
    beforeEach(() => clear(stage));

    describe('saves and finds', () => {
      test('a row as it was stored, with its key and its defaults (P11)', async () => {
        const ada = await users().save(ADA);
        expect(ada).toEqual({
          id: expect.any(Number),
          ...ADA,
          isAdmin: false,
          createdAt: expect.any(Date),
          updatedAt: expect.any(Date),
        });
        expect(Math.abs(ada.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
        expect(await users().findById(ada.id)).toEqual(ada);
        expect(await users().findById(ada.id + 1_000)).toBeUndefined();
      });

      test('a key that the program makes, JSON, and null', async () => {
        const { id: authorId } = await users().save(ADA);
        const post = await posts().save({ authorId, title: 'One', tags: ['a', 'b'] });
        expect(post.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
        expect(post).toMatchObject({ tags: ['a', 'b'], editorId: null, version: 1, deletedAt: null });
        expect(await posts().findOne({ editorId: null, title: 'One' })).toEqual(post);
      });

      test('by a composite key', async () => {
        await memberships().saveMany([
          { userId: 1, groupId: 1, role: 'owner' },
          { userId: 1, groupId: 2, role: 'guest' },
        ]);
        expect(await memberships().findById({ userId: 1, groupId: 2 })).toMatchObject({ role: 'guest' });
        expect(await memberships().update({ userId: 1, groupId: 2 }, { role: 'owner' })).toMatchObject({
          role: 'owner',
        });
        expect(await memberships().delete({ groupId: 1, userId: 1 })).toBe(true);
        expect(await memberships().findAll()).toEqual([{ userId: 1, groupId: 2, role: 'owner' }]);
        const half = { userId: 1 } as { userId: number; groupId: number };
        await expect(memberships().findById(half)).rejects.toThrow(UsageError);
      });

      test('rows by conditions of both kinds, in an order, some of them', async () => {
        await users().saveMany([ADA, BOB, { name: 'Cyd', email: 'cyd@example.org', isAdmin: true }]);
        const names = async (...args: Parameters<ReturnType<typeof users>['findAll']>) =>
          (await users().findAll(...args)).map((user) => user.name);
        expect(await names({ orderBy: { name: 'desc' } })).toEqual(['Cyd', 'Bob', 'Ada']);
        expect(await names({ where: { isAdmin: true } })).toEqual(['Cyd']);
        expect(
          await names({ where: gt(userTable.name, 'Ada'), orderBy: desc(userTable.name), limit: 1 }),
        ).toEqual(['Cyd']);
        expect(await names({ orderBy: [desc(userTable.name)], limit: 2, offset: 2 })).toEqual(['Ada']);
        expect(await names({ orderBy: { name: 'asc' }, offset: 1 })).toEqual(['Bob', 'Cyd']);
        expect(await users().findOne({ email: BOB.email })).toMatchObject(BOB);
        expect(await users().findOne({ email: 'none' })).toBeUndefined();
        expect(await users().exists({ name: 'Ada' })).toBe(true);
        expect(await users().exists({ name: 'Zoe' })).toBe(false);
        expect(await users().count()).toBe(3);
        expect(await users().count({ isAdmin: false })).toBe(2);
      });

      test('nothing by a condition with an undefined value, or an unknown column', async () => {
        const missing = undefined as unknown as string;
        await expect(users().findOne({ email: missing })).rejects.toThrow(/email" is undefined/);
        await expect(users().findAll({ where: { nmae: 'x' } as object })).rejects.toThrow(/no column "nmae"/);
        await expect(users().save({ ...ADA, nmae: 'x' } as typeof ADA)).rejects.toThrow(/no column "nmae"/);
        await expect(users().upsert({ ...ADA, nmae: 'x' } as typeof ADA)).rejects.toThrow(/no column "nmae"/);
        await expect(users().findAll({ where: [] as object })).rejects.toThrow(/drizzle's, or an object/);
        await expect(users().findAll({ limit: -1 })).rejects.toThrow(UsageError);
        await expect(users().findAll({ orderBy: { name: 'up' } as object })).rejects.toThrow(UsageError);
      });
    });

    describe('saves many', () => {
      test('rows of different shapes, in order, in one trip (S1)', async () => {
        const rows = Array.from({ length: 700 }, (_, index) => ({
          name: `user ${index}`,
          email: `${index}@example.org`,
          ...(index % 350 === 349 && { isAdmin: true }),
        }));
        const saved = await users().saveMany(rows);
        expect(saved.map((user) => user.name)).toEqual(rows.map((row) => row.name));
        expect(saved.filter((user) => user.isAdmin).map((user) => user.name)).toEqual([
          'user 349',
          'user 699',
        ]);
        expect(new Set(saved.map((user) => user.id)).size).toBe(700);
        expect(await users().saveMany([])).toEqual([]);
      });

      test('more values than a statement takes, and gives their number on request', async () => {
        const rows = Array.from({ length: 12_000 }, (_, index) => ({
          userId: index,
          groupId: 1,
          role: 'guest',
        }));
        expect(await memberships().saveMany(rows, { returning: false })).toBe(12_000);
        expect(await memberships().count()).toBe(12_000);
        expect(await memberships().saveMany([], { returning: false })).toBe(0);
      });

      test('all or none', async () => {
        const rows = Array.from({ length: 300 }, (_, index) => ({ name: 'x', email: `${index % 299}` }));
        const error = await rejection(users().saveMany(rows));
        expect(error).toBeInstanceOf(ConstraintError);
        expect(await users().count()).toBe(0);
      });

      test('values that the database computes', async () => {
        const name = sql`lower(${'ADA'})` as unknown as string;
        const saved = await users().saveMany([{ ...ADA, name }, BOB]);
        expect(saved.map((user) => user.name)).toEqual(['ada', 'Bob']);
      });
    });

    describe('changes', () => {
      test('a row, and gives it; undefined when there is none', async () => {
        const ada = await users().save(ADA);
        const changed = await users().update(ada.id, { name: 'Lady Ada', isAdmin: true });
        expect(changed).toMatchObject({ id: ada.id, name: 'Lady Ada', isAdmin: true, email: ADA.email });
        expect(await users().findById(ada.id)).toEqual(changed);
        expect(await users().update(ada.id + 1_000, { name: 'x' })).toBeUndefined();
        const id = ada.id;
        expect(await users().update(id, { name: sql`upper(${userTable.name})` })).toMatchObject({
          name: 'LADY ADA',
        });
      });

      test('the key never, and never all rows by mistake', async () => {
        const ada = await users().save(ADA);
        expect(await users().update(ada.id, { ...ada, name: 'same key' })).toMatchObject({
          name: 'same key',
        });
        await expect(users().update(ada.id, { id: ada.id + 1 })).rejects.toThrow(/does not change the key/);
        await expect(users().updateWhere({}, { name: 'x' })).rejects.toThrow(/needs a condition/);
        await expect(users().deleteWhere({})).rejects.toThrow(/needs a condition/);
        const missing = undefined as unknown as string;
        await expect(users().deleteWhere({ email: missing })).rejects.toThrow(/is undefined/);
        await expect(memberships().update({ userId: 1, groupId: 1 }, {})).rejects.toThrow(/changes nothing/);
        expect(await users().count()).toBe(1);
      });

      test('`updatedAt` on every path: one row, many, upsert, deletion, restoration (P10)', async () => {
        const { id: authorId } = await users().save(ADA);
        const post = await posts().save({ authorId, title: 'One' });
        let before = post.updatedAt.getTime();
        const expectRenewed = async (path: string) => {
          const found = await posts().findById(post.id, { withDeleted: true });
          expect(found!.updatedAt.getTime(), path).toBeGreaterThan(before);
          expect(found!.createdAt, path).toEqual(post.createdAt);
          before = found!.updatedAt.getTime();
          await sleep(2);
        };
        await sleep(2);
        await posts().update(post.id, { title: 'Two' });
        await expectRenewed('update');
        await posts().update(post.id, { ...post, version: undefined });
        await expectRenewed('update with a row read before');
        await posts().updateWhere({ authorId }, { score: 1, updatedAt: new Date(0) });
        await expectRenewed('updateWhere');
        await posts().upsert({ id: post.id, authorId, title: 'Three' });
        await expectRenewed('upsert');
        await posts().delete(post.id);
        await expectRenewed('delete');
        await posts().restore(post.id);
        await expectRenewed('restore');
        await posts().deleteWhere({ authorId });
        await expectRenewed('deleteWhere');
        await stage.orm.update(postTable).set({ title: 'by drizzle' });
        await expectRenewed("drizzle's own update");
      });

      test('many rows, and says how many', async () => {
        await users().saveMany([ADA, BOB]);
        expect(await users().updateWhere({ isAdmin: false }, { isAdmin: true })).toBe(2);
        expect(await users().updateWhere({ isAdmin: false }, { isAdmin: true })).toBe(0);
        expect(await users().deleteWhere({ name: 'Ada' })).toBe(1);
        expect(await users().deleteWhere(sql`1 = 1`)).toBe(1);
      });

      test('or inserts: the values given win, the others stay', async () => {
        const ada = await users().save({ ...ADA, isAdmin: true });
        const upserted = await users().upsert(
          { name: 'Lady Ada', email: ADA.email },
          { conflict: ['email'] },
        );
        expect(upserted).toMatchObject({
          id: ada.id,
          name: 'Lady Ada',
          isAdmin: true,
          createdAt: ada.createdAt,
        });
        expect(await users().upsert(BOB, { conflict: ['email'] })).toMatchObject(BOB);
        expect(await users().count()).toBe(2);
        const row = { userId: 1, groupId: 2, role: 'guest' };
        expect(await memberships().upsert(row)).toEqual(row);
        expect(await memberships().upsert({ ...row, role: 'owner' })).toEqual({ ...row, role: 'owner' });
      });
    });

    describe('guards', () => {
      test('the version that was read (typed error), and counts it on every path', async () => {
        const { id: authorId } = await users().save(ADA);
        const read = await posts().save({ authorId, title: 'One' });
        const second = await posts().update(read.id, { ...read, title: 'Two' });
        expect(second!.version).toBe(2);
        const error = await rejection(posts().update(read.id, { title: 'Three', version: read.version }));
        expect(error).toBeInstanceOf(VersionConflictError);
        expect(error).toMatchObject({
          code: 'ERR_MILLPOND_VERSION_CONFLICT',
          table: 'posts',
          retryable: false,
        });
        expect(await posts().update(crypto.randomUUID(), { title: 'x', version: 1 })).toBeUndefined();
        await posts().updateWhere({ authorId }, { score: 1 });
        await posts().upsert({ id: read.id, authorId, title: 'Four' });
        await stage.orm.update(postTable).set({ title: 'Five' });
        expect(await posts().findById(read.id)).toMatchObject({ title: 'Five', version: 5 });
        await expect(posts().updateWhere({ authorId }, { version: 5 })).rejects.toThrow(UsageError);
      });

      test('lets one of many writers with the same version win', async () => {
        const { id: authorId } = await users().save(ADA);
        const read = await posts().save({ authorId, title: 'One' });
        const tries = Array.from({ length: 10 }, (_, index) =>
          posts().update(read.id, { title: `by ${index}`, version: read.version }),
        );
        const settled = await Promise.allSettled(tries);
        expect(settled.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
        const losers = settled.filter((one) => one.status === 'rejected');
        expect(losers.every((one) => one.reason instanceof VersionConflictError)).toBe(true);
      });

      test('a deleted row from being seen, until it is asked for, restored, or deleted for good', async () => {
        const { id: authorId } = await users().save(ADA);
        const post = await posts().save({ authorId, title: 'One' });
        expect(await posts().delete(post.id)).toBe(true);
        expect(await posts().delete(post.id)).toBe(false);
        expect(await posts().findById(post.id)).toBeUndefined();
        expect(await posts().findOne({ id: post.id })).toBeUndefined();
        expect(await posts().update(post.id, { title: 'x' })).toBeUndefined();
        expect(await posts().updateWhere({ authorId }, { title: 'x' })).toBe(0);
        expect([await posts().count(), await posts().exists({ authorId })]).toEqual([0, false]);
        expect((await posts().findPage({ size: 5, total: true })).total).toBe(0);
        const seen = await posts().findById(post.id, { withDeleted: true });
        expect(seen!.deletedAt).toBeInstanceOf(Date);
        expect(await posts().restore(post.id)).toMatchObject({ title: 'One', deletedAt: null });
        expect(await posts().restore(post.id)).toBeUndefined();
        await posts().delete(post.id);
        expect(await posts().upsert({ ...post, title: 'again' })).toMatchObject({ deletedAt: null });
        expect(await posts().delete(post.id, { hard: true })).toBe(true);
        expect(await posts().count(undefined, { withDeleted: true })).toBe(0);
        await expect(users().restore(1)).rejects.toThrow(/for good/);
      });

      test('nothing when both are switched off', async () => {
        const plain = repository(stage.db, postTable, { version: false, softDelete: false });
        const { id: authorId } = await users().save(ADA);
        const post = await plain.save({ authorId, title: 'One' });
        await plain.update(post.id, { title: 'Two' });
        expect(await plain.delete(post.id)).toBe(true);
        expect(await plain.count()).toBe(0);
      });
    });

    describe('reads pages', () => {
      const SIZE = 7;
      const fill = () =>
        users().saveMany(
          Array.from({ length: 30 }, (_, index) => ({
            name: `name ${index % 4}`,
            email: `${index}@example.org`,
            isAdmin: index % 3 === 0,
          })),
        );

      test('by number, with the total on request', async () => {
        await fill();
        const first = await users().findPage({ size: SIZE, total: true, where: { isAdmin: true } });
        expect(first).toMatchObject({ page: 1, size: SIZE, hasNext: true, total: 10 });
        const second = await users().findPage({ size: SIZE, page: 2, where: { isAdmin: true } });
        expect([second.rows.length, second.hasNext, 'total' in second]).toEqual([3, false, false]);
        expect(new Set([...first.rows, ...second.rows].map((user) => user.id)).size).toBe(10);
      });

      test.each([
        ['the key', {}],
        ['a column that many share', { name: 'asc' }],
        ['columns of both directions', { name: 'desc', isAdmin: 'asc', email: 'desc' }],
        ['a time', { createdAt: 'desc' }],
      ] as const)('behind a cursor, each row once, by %s', async (_, orderBy) => {
        await fill();
        const seen: number[] = [];
        let after: string | null | undefined = null;
        while (after !== undefined) {
          const page: KeysetPage<RowOf<typeof userTable>> = await users().findPage({
            size: SIZE,
            after,
            orderBy,
          });
          seen.push(...page.rows.map((user) => user.id));
          after = page.next;
          // Rows that come and go meanwhile move no others.
          await users().save({ name: '', email: crypto.randomUUID(), createdAt: new Date('2200-01-01') });
          if (seen.length > 100) throw new Error('it does not end');
        }
        const all = await users().findAll({ where: sql`${userTable.email} like '%@example.org'` });
        expect(all.every((user) => seen.includes(user.id))).toBe(true);
        expect(new Set(seen).size).toBe(seen.length);
      });

      test('in the order that the pages by number have', async () => {
        await fill();
        const orderBy = { name: 'desc', email: 'asc' } as const;
        const { rows } = await users().findPage({ size: 100, orderBy });
        const first = await users().findPage({ size: 11, after: null, orderBy });
        const second = await users().findPage({ size: 100, after: first.next!, orderBy });
        expect([...first.rows, ...second.rows]).toEqual(rows);
        expect(second.next).toBeUndefined();
      });

      test('with a cursor from anywhere, as a value only, or not at all (C61)', async () => {
        await fill();
        const cursor = (values: unknown) => Buffer.from(JSON.stringify(values)).toString('base64url');
        const refused = [
          '',
          'x',
          '{}',
          cursor([]),
          cursor([1, 2]),
          cursor(['1']),
          cursor([null]),
          cursor([{}]),
        ];
        for (const after of [...refused, cursor([{ bigint: '1;drop' }]), 'x'.repeat(10_000)]) {
          await expect(users().findPage({ size: 1, after })).rejects.toThrow(UsageError);
        }
        const hostile = cursor(["' or 1=1 --", 1]);
        expect((await users().findPage({ size: 5, after: hostile, orderBy: { name: 'desc' } })).rows).toEqual(
          [],
        );
        await expect(users().findPage({ size: 0 })).rejects.toThrow(UsageError);
        await expect(users().findPage({ size: 10_001 })).rejects.toThrow(UsageError);
        await expect(users().findPage({ size: 1, page: 0 })).rejects.toThrow(UsageError);
        const times = { orderBy: { createdAt: 'asc' }, size: 1 } as const;
        for (const time of ["2024'; --", true, { number: '1' }, null])
          await expect(users().findPage({ ...times, after: cursor([time, 1]) })).rejects.toThrow(UsageError);
      });

      test.each([
        ['nulls, many of them', { score: 'asc', editorId: 'asc' }],
        ['nulls, the other way', { editorId: 'desc', title: 'asc' }],
        ['nulls between others', { title: 'desc', deletedAt: 'asc', editorId: 'desc' }],
        ['numbers that JSON does not have', { score: 'desc', title: 'desc' }],
      ] as const)('behind a cursor, in an order with %s', async (_, orderBy) => {
        const [ada, bob] = await users().saveMany([ADA, BOB]);
        const scores = [0, 1.5, -Infinity, Infinity];
        await posts().saveMany(
          Array.from({ length: 24 }, (__, index) => ({
            authorId: ada!.id,
            editorId: [null, ada!.id, bob!.id][index % 3]!,
            title: `title ${index % 2}`,
            score: scores[index % 4]!,
            ...(index % 5 === 0 && { deletedAt: new Date(index) }),
          })),
        );
        const { rows } = await posts().findPage({ size: 100, orderBy, withDeleted: true });
        const seen: unknown[] = [];
        let after: string | null | undefined = null;
        while (after !== undefined) {
          const page: KeysetPage<RowOf<typeof postTable>> = await posts().findPage({
            size: 5,
            after,
            orderBy,
            withDeleted: true,
          });
          seen.push(...page.rows);
          after = page.next;
          if (seen.length > 24) throw new Error('it does not end');
        }
        expect(seen).toEqual(rows);
      });
    });

    test('keeps what comes from a request out of its SQL (C61)', async () => {
      await users().saveMany([ADA, BOB]);
      const names = [
        'constructor',
        'toString',
        '__proto__',
        'hasOwnProperty',
        'id" or 1=1 --',
        '',
        '\0',
        '1',
        'ID',
      ];
      for (const name of names) {
        const given = JSON.parse(`{${JSON.stringify(name)}:"asc"}`) as object;
        await expect(users().findAll({ orderBy: given })).rejects.toThrow(UsageError);
        await expect(users().findPage({ size: 1, orderBy: given })).rejects.toThrow(UsageError);
        await expect(users().findOne(given)).rejects.toThrow(UsageError);
        await expect(users().deleteWhere(given)).rejects.toThrow(UsageError);
        await expect(users().updateWhere({ name: 'Ada' }, given)).rejects.toThrow(UsageError);
        await expect(users().save({ ...ADA, email: 'new', ...given })).rejects.toThrow(UsageError);
      }
      const hostile = [
        "' or 1=1 --",
        '" or 1=1 --',
        'Ada\0',
        '%',
        '\\',
        '$1',
        '?',
        ':name',
        '\u2019 or 1=1 --',
      ];
      for (const text of hostile.filter((one) => engine === 'SQLite' || !one.includes('\0'))) {
        expect(await users().findAll({ where: { name: text } })).toEqual([]);
        expect(await users().deleteWhere({ name: text })).toBe(0);
      }
      for (const value of [{ $ne: null }, { toString: 'x' }, { sql: '1=1', queryChunks: [] }]) {
        const where = { name: value as unknown as string };
        const [outcome] = await outcomes([users().deleteWhere(where)]);
        // PostgreSQL binds an object as its JSON, SQLite none.
        expect(engine === 'SQLite' ? outcome instanceof UsageError : outcome === 0).toBe(true);
      }
      expect(await users().count()).toBe(2);
    });

    describe('as a shared object', () => {
      class Users extends Repository(userTable) {
        findByEmail(email: string) {
          return this.findOne({ email });
        }

        async names(): Promise<string[]> {
          const rows = await this.drizzle.select({ name: userTable.name }).from(userTable);
          return rows.map((row) => row.name);
        }
      }

      test('takes part in the transaction of the flow, and sees what it wrote (P5)', async () => {
        const shared = new Users(stage.db);
        const failed = stage.db.transaction(async () => {
          await shared.save(ADA);
          await shared.saveMany([BOB, { name: 'Cyd', email: 'cyd' }]);
          expect(await shared.findByEmail(ADA.email)).toMatchObject(ADA);
          expect(await shared.names()).toHaveLength(3);
          throw new Error('undo');
        });
        await expect(failed).rejects.toThrow('undo');
        expect(await shared.count()).toBe(0);
        await stage.db.transaction(() => shared.save(ADA));
        expect(await shared.names()).toEqual(['Ada']);
      });

      test('is refused after the rollback of the flow it runs in (B4)', async () => {
        const shared = new Users(() => stage.db);
        let late: Promise<unknown> | undefined;
        const failed = stage.db.transaction(async () => {
          late = sleep(20).then(() => shared.save(ADA));
          late.catch(() => undefined);
          throw new Error('undo');
        });
        await expect(failed).rejects.toThrow('undo');
        await expect(late).rejects.toThrow(TransactionClosedError);
        expect(await shared.count()).toBe(0);
      });

      test('belongs to one transaction when it is made of its handle', async () => {
        const error = new Error('undo');
        let escaped: Users | undefined;
        const failed = stage.orm.transaction(async (tx) => {
          escaped = new Users(tx);
          await escaped.save(ADA);
          throw error;
        });
        await expect(failed).rejects.toBe(error);
        await expect(escaped!.save(ADA)).rejects.toThrow(TransactionClosedError);
        expect(await new Users(stage.orm).count()).toBe(0);
      });

      test('names its queries for events', async () => {
        const names: (string | undefined)[] = [];
        const off = stage.db.on('query:end', (event) => names.push(event.name));
        await new Users(stage.db).findById(1);
        await new Users(stage.db).count(undefined, { name: 'mine' });
        off();
        expect(names).toEqual(['users.findById', 'mine']);
      });
    });

    test('says nothing of values when a constraint is broken (B10)', async () => {
      await users().save({ name: 'canary-name', email: 'canary-mail' });
      for (const attempt of [
        () => users().save({ name: 'canary-name', email: 'canary-mail' }),
        () => users().saveMany([BOB, { name: 'canary-name', email: 'canary-mail' }]),
        () => users().updateWhere({ email: 'canary-mail' }, { name: null as unknown as string }),
      ]) {
        const error = await rejection(attempt());
        expect(error).toBeInstanceOf(ConstraintError);
        expect(error.message).not.toContain('canary');
      }
      await expectAtRest(stage.db);
    });
  });
}
