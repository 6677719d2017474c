import { describe, expect, test } from 'vitest';
import { usersFrames } from './users-frames.ts';

const OWN = new URL('file:///app/node_modules/millpond/dist/');

describe("the user's frames of a stack", () => {
  test('are not of millpond, of Node, of the language, or of a package between them', () => {
    const stack = [
      'Error: of a line that says "at nothing"',
      '    at Scope.send (file:///app/node_modules/millpond/dist/transaction/scope.js:1:2)',
      '    at run (/app/node_modules/millpond/dist/driver/queryable.js:3:4)',
      '    at QueryPromise.execute (file:///app/node_modules/drizzle-orm/session.js:5:6)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
      '    at Array.map (<anonymous>)',
      '    at async checkOut (file:///app/src/orders.ts:12:9)',
      '    at async handler (file:///app/src/server.ts:7:1)',
    ].join('\n');
    expect(usersFrames(stack, OWN)).toEqual([
      'async checkOut (file:///app/src/orders.ts:12:9)',
      'async handler (file:///app/src/server.ts:7:1)',
    ]);
  });

  test("are a package's where there are no others", () => {
    const frame = 'execute (file:///app/node_modules/drizzle-orm/session.js:5:6)';
    expect(usersFrames(`    at ${frame}`, OWN)).toEqual([frame]);
  });

  test('are none where the stack says nothing', () => {
    expect(usersFrames('', OWN)).toEqual([]);
    expect(usersFrames(new Error('made here').stack!)).not.toContain('users-frames.test.ts');
  });
});
