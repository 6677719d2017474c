import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { headerPlanOf, withVary } from './header-plan.ts';

function response(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

/** The head as it would be sent. */
function headOf(made: ServerResponse): string[] {
  made.end();
  const { _header: head } = made as unknown as { readonly _header: string };
  return head.split('\r\n').filter((line) => line !== '' && !/^(?:Date|Connection|Keep-Alive)/.test(line));
}

describe('headers that an answer has beside its own', () => {
  test.each([
    ['an object', (made: ServerResponse) => made.writeHead(200, { 'Content-Type': 'a/b', 'X-One': 'own' })],
    ['a list', (made: ServerResponse) => made.writeHead(200, ['Content-Type', 'a/b', 'X-One', 'own'])],
    [
      'a list of pairs',
      (made: ServerResponse) =>
        made.writeHead(200, [
          ['Content-Type', 'a/b'],
          ['X-One', 'own'],
        ] as never),
    ],
    [
      'a message and an object',
      (made: ServerResponse) => made.writeHead(200, 'OK', { 'Content-Type': 'a/b', 'X-One': 'own' }),
    ],
  ])('join %s, and yield to its own', (_what, write) => {
    const made = response();
    const plan = headerPlanOf(made)!;
    plan.addDefaults(['x-one', '1', 'x-two', '2']);
    write(made);
    expect(headOf(made).slice(0, 4)).toEqual([
      'HTTP/1.1 200 OK',
      'Content-Type: a/b',
      'X-One: own',
      'x-two: 2',
    ]);
  });

  test('join nothing, and what was set before', () => {
    const made = response();
    headerPlanOf(made)!.addDefaults(['x-one', '1', 'x-two', '2']);
    made.setHeader('X-Two', 'set');
    expect(headOf(made)).toEqual(expect.arrayContaining(['x-one: 1', 'X-Two: set']));
    expect(headOf(made)).not.toContain('x-two: 2');
  });

  test('the last one of a name wins', () => {
    const made = response();
    const plan = headerPlanOf(made)!;
    plan.addDefaults(['x-one', '1', 'x-two', '2']);
    plan.addDefault('x-one', '3');
    plan.addDefaults(['x-two', '4']);
    expect(headOf(made)).toEqual(expect.arrayContaining(['x-one: 3', 'x-two: 4']));
    expect(headerPlanOf(made)).toBe(plan);
  });

  test('fixed ones win over its own, and Vary has both', () => {
    const made = response();
    headerPlanOf(made)!.fix(['access-control-allow-origin', 'https://a.test'], 'Origin');
    made.writeHead(200, { 'Access-Control-Allow-Origin': '*', Vary: 'Cookie', 'Set-Cookie': ['a=1', 'b=2'] });
    expect(headOf(made).slice(1, 5)).toEqual([
      'Vary: Cookie, Origin',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'access-control-allow-origin: https://a.test',
    ]);
  });

  test('what is no response of Node has none', () => {
    expect(headerPlanOf({ setHeader: () => undefined } as never)).toBeUndefined();
  });

  test.each([
    ['Cookie', 'Cookie, Origin'],
    ['cookie,origin', 'cookie,origin'],
    ['*', '*'],
  ])('Vary: %s becomes %s', (given, expected) => {
    expect(withVary(given, 'Origin')).toBe(expected);
  });
});
