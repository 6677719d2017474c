import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDb, Transactional, transactional } from '../../database/index.ts';
import { ReadOnlyError, UsageError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, countThings, rejection, thingNames, thrownBy } from './expectations.ts';

const NAME = 'contract';
const OTHER = 'contract-other';
const mine = new Error('mine');
const THINGS = 'create table things (id integer primary key, name text not null unique)';

/** A method, as the decorator of a class would see it. */
function decorate<This, Args extends unknown[], Result>(
  decorator: ReturnType<typeof Transactional>,
  method: (this: This, ...args: Args) => Promise<Result>,
): (this: This, ...args: Args) => Promise<Result> {
  const context = { kind: 'method', name: method.name } as unknown as ClassMethodDecoratorContext<This>;
  return decorator(method, context as never);
}

export const TRANSACTIONAL_BEHAVIOURS: Behaviours = {
  'run in a transaction each, with their arguments and their this (J3)': {
    options: { name: NAME },
    check: async ({ db }) => {
      const service = {
        prefix: 'n',
        add: transactional(
          async function add(this: { prefix: string }, id: number, fails: boolean) {
            await addThing(getDb(NAME), id, `${this.prefix}${id}`);
            if (fails) throw mine;
            return id * 2;
          },
          { database: NAME },
        ),
      };
      assert.equal(await service.add(1, false), 2);
      assert.equal(await thrownBy(service.add(2, true)), mine);
      assert.deepEqual(await thingNames(db), ['n1']);
    },
  },

  'are made of methods by the decorator (J3)': {
    options: { name: NAME },
    check: async ({ db }) => {
      const addTwo = decorate(Transactional({ database: NAME }), async (fails: boolean) => {
        await addThing(db, 1);
        await addThing(db, 2);
        if (fails) throw mine;
      });
      assert.equal(await thrownBy(addTwo(true)), mine);
      assert.equal(await countThings(db), 0);
      await addTwo(false);
      assert.equal(await countThings(db), 2);
      const reading = decorate(Transactional({ database: NAME, readOnly: true }), () => addThing(db, 3));
      await rejection(reading(), ReadOnlyError);
    },
  },

  'join the transaction of the function that calls them (P5)': {
    options: { name: NAME },
    check: async ({ db }) => {
      const add = transactional((id: number) => addThing(db, id), { database: NAME });
      const addBoth = transactional(
        async () => {
          await add(1);
          await add(2);
          throw mine;
        },
        { database: NAME },
      );
      assert.equal(await thrownBy(addBoth()), mine);
      assert.equal(await countThings(db), 0);
    },
  },

  'keep the requests of 200 callers apart (C29)': {
    options: { name: NAME },
    check: async ({ db }) => {
      const request = transactional(
        async (tag: number) => {
          for (let row = 0; row < 3; row += 1) {
            await addThing(getDb(NAME), tag * 10 + row, `${tag}/${row}/${Math.floor(tag / 2)}`);
            if (row === 1) await sleep(tag % 3);
          }
          if (tag % 5 === 0) throw mine;
        },
        { database: NAME },
      );
      await Promise.allSettled(Array.from({ length: 200 }, (_, tag) => request(tag)));
      const rows = await db.all<{ id: number; name: string }>('select id, name from things order by id');
      assert.equal(rows.length, 160 * 3);
      for (const { id, name } of rows) {
        const tag = Math.floor(id / 10);
        assert.equal(name, `${tag}/${id % 10}/${Math.floor(tag / 2)}`);
        assert.notEqual(tag % 5, 0);
      }
    },
  },

  'span several databases, each with its own transaction (J7)': {
    options: { name: NAME },
    check: async ({ db, open }) => {
      const other = await open({ name: OTHER });
      await other.script(THINGS);
      const addBoth = transactional(
        async (id: number, fails: boolean) => {
          await addThing(getDb(NAME), id);
          await addThing(getDb(OTHER), id);
          if (fails) throw mine;
        },
        { database: [NAME, OTHER] },
      );
      await addBoth(1, false);
      assert.equal(await thrownBy(addBoth(2, true)), mine);
      assert.deepEqual([await thingNames(db), await thingNames(other)], [['thing 1'], ['thing 1']]);
    },
  },

  'find their database when they are called, not when they are made (J2)': async () => {
    const early = transactional(() => undefined, { database: 'nobody-opened-this' });
    const error = await rejection(early(), UsageError);
    assert.match(error.message, /"nobody-opened-this" is not open/);
  },
};
