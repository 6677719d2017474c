import { describe, expect, test } from 'vitest';
import {
  captureCallSite,
  describeCallSite,
  firstForeignFrame,
  formatStack,
  StatementSites,
} from './call-site.ts';

const OWN = new URL('file:///app/node_modules/millpond/dist/');

describe('the place named in messages', () => {
  test('is the first frame of the caller, not of millpond, of Node or of a package between them', () => {
    const frames = [
      '    at Scope.send (file:///app/node_modules/millpond/dist/transaction/scope.js:1:2)',
      '    at run (/app/node_modules/millpond/dist/driver/queryable.js:3:4)',
      '    at QueryPromise.execute (file:///app/node_modules/drizzle-orm/session.js:5:6)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
      '    at async checkOut (file:///app/src/orders.ts:12:9)',
      '    at async handler (file:///app/src/server.ts:7:1)',
    ].join('\n');
    expect(firstForeignFrame(frames, OWN)).toBe('async checkOut (file:///app/src/orders.ts:12:9)');
  });

  test('is the package where there is nothing else', () => {
    const frames = '    at execute (file:///app/node_modules/drizzle-orm/session.js:5:6)';
    expect(firstForeignFrame(frames, OWN)).toBe(
      'execute (file:///app/node_modules/drizzle-orm/session.js:5:6)',
    );
  });

  test('is unknown where the stack says nothing', () => {
    expect(firstForeignFrame('', OWN)).toBeUndefined();
    expect(describeCallSite({})).toBe('an unknown place');
  });

  test('comes from a stack of the call', () => {
    function caller(): string {
      return formatStack(captureCallSite());
    }
    expect(caller().split('\n')[0]).toMatch(/^ {4}at caller \(.*call-site\.test\.ts/);
  });
});

describe('places of statements', () => {
  test('are captured until a text was seen twice, then known', () => {
    const sites = new StatementSites();
    expect(sites.locate('select 1')).toBeTypeOf('object');
    expect(sites.locate('select 1')).toBeTypeOf('object');
    expect(sites.locate('select 1')).toBeTypeOf('string');
  });

  test('are exact again after one of the text was found un-awaited', () => {
    const sites = new StatementSites();
    sites.locate('select 1');
    sites.locate('select 1');
    const known = sites.locate('select 1');
    expect(sites.explain('select 1', known)).toMatch(/^of a text that was called at /);
    const exact = sites.locate('select 1');
    expect(sites.explain('select 1', exact)).toMatch(/^called at /);
  });

  test('are forgotten past a thousand texts, the oldest first', () => {
    const sites = new StatementSites();
    for (let i = 0; i < 3; i++) sites.locate('first');
    for (let i = 0; i < 1_000; i++) sites.locate(`text ${i}`);
    expect(sites.locate('first')).toBeTypeOf('object');
  });
});
