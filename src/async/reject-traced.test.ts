import { describe, expect, it } from 'vitest';
import { rejectTraced } from './reject-traced.ts';

function deferred() {
  let resolve!: (rejection: Promise<never>) => void;
  const promise = new Promise<never>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('rejectTraced', () => {
  it('gives the same error, with the stack of its awaiter, also through a promise made from it', async () => {
    const call = deferred();
    async function askForUsers(): Promise<void> {
      await call.promise.then((rows) => rows);
    }
    const asked = askForUsers();
    const error = new Error('no such table');
    rejectTraced(call.resolve, error, () => undefined);
    await expect(asked).rejects.toBe(error);
    expect(error.stack).toMatch(/^Error: no such table\n(.*\n)? *at (async )?askForUsers /);
  });

  it('reports the error when its stack is complete, and before the promise rejects', async () => {
    const call = deferred();
    const order: string[] = [];
    const caller = call.promise.catch(() => order.push('rejected'));
    const awaiting = (async function waiter() {
      await caller;
    })();
    const error = new Error('gone');
    rejectTraced(call.resolve, error, () =>
      order.push(error.stack!.includes('waiter') ? 'told' : 'too early'),
    );
    await awaiting;
    expect(order).toEqual(['told', 'rejected']);
  });

  it('leaves an error whole that nobody awaits with a function', async () => {
    const call = deferred();
    const thrown = new Promise<Error>((resolve) => {
      call.promise.then(undefined, resolve);
    });
    rejectTraced(call.resolve, new TypeError('alone'), () => undefined);
    expect((await thrown).stack).toMatch(/^TypeError: alone/);
  });
});
