import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { expect, onTestFinished, test } from 'vitest';
import {
  ConnectionError,
  ConnectionPoolExhaustedError,
  OutcomeUnknownError,
  QueryExecutionError,
  TimeoutError,
  UsageError,
} from '../errors/index.ts';
import { answerErrors } from './answer-errors.ts';
import { HttpProblem } from './http-problem.ts';
import { loadPeer } from './optional-peer.ts';
import { ClientGoneError, problemOf } from './problem-of.ts';
import { requestIds } from './request-ids.ts';
import { securityHeaders } from './security-headers.ts';

test.each<[unknown, number]>([
  [new HttpProblem(418), 418],
  [new HTTPException(402, { message: 'pay' }), 402],
  [new HTTPException(500, { message: 'secret' }), 500],
  [new OutcomeUnknownError('secret'), 500],
  [new TimeoutError('secret', { timeoutMs: 1 }), 504],
  [new ConnectionPoolExhaustedError('secret'), 503],
  [new ConnectionError('secret'), 503],
  [new QueryExecutionError('secret', { retryable: true }), 503],
  [new QueryExecutionError('secret'), 500],
  [new ClientGoneError(), 499],
  [new UsageError('secret'), 500],
  [new Error('secret'), 500],
  ['secret', 500],
  [undefined, 500],
])('%s is told as %i, without its message', async (error, status) => {
  const problem = problemOf(error);
  expect(problem.status).toBe(status);
  const response = problem.getResponse();
  expect(response.status).toBe(status);
  expect(await response.text()).not.toContain('secret');
  expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
});

test('the message of an exception below 500 is for the client, and its own response is kept', async () => {
  expect(problemOf(new HTTPException(402, { message: 'pay first' })).problem['detail']).toBe('pay first');
  const app = new Hono();
  app.onError(answerErrors());
  app.get('/', () => {
    throw new HTTPException(401, { res: new Response('own', { status: 401, headers: { 'X-Own': '1' } }) });
  });
  const response = await app.request('/');
  expect([response.status, await response.text(), response.headers.get('x-own')]).toEqual([401, 'own', '1']);
});

test('a problem answers without `answerErrors` too: Hono asks errors for their response', async () => {
  const app = new Hono();
  app.get('/', () => {
    throw new HttpProblem(409, { type: 'https://example.com/taken', extensions: { name: 'Ada', status: 1 } });
  });
  const response = await app.request('/');
  expect([response.status, await response.json()]).toEqual([
    409,
    { type: 'https://example.com/taken', title: 'Conflict', status: 409, name: 'Ada' },
  ]);
});

test('headers are set without a socket too, and those of the handler win', async () => {
  const app = new Hono();
  app.use(requestIds(), securityHeaders());
  app.get('/', () => new Response('made by hand', { headers: { 'X-Frame-Options': 'SAMEORIGIN' } }));
  const { headers } = await app.request('/', { headers: { 'X-Request-Id': 'given-1' } });
  expect(
    ['x-request-id', 'x-frame-options', 'x-content-type-options'].map((name) => headers.get(name)),
  ).toEqual(['given-1', 'SAMEORIGIN', 'nosniff']);
  for (const wrong of ['', 'a b', 'x'.repeat(65), '{"a":1}', 'a;b', '../x']) {
    const id = (await app.request('/', { headers: { 'X-Request-Id': wrong } })).headers.get('x-request-id');
    expect(id, wrong).toMatch(/^[0-9a-f-]{36}$/);
  }
  expect(() => securityHeaders({ 'X-Own': 'a\r\nSet-Cookie: b' })).toThrow(/securityHeaders\.x-own/);
  expect(() => securityHeaders({ 'a b': 'c' })).toThrow(/must be a value/);
});

test('a package that is missing is named; one that fails to load says why', () => {
  expect(() => loadPeer('no-such-package', 'jwtAuth')).toThrow(
    new UsageError('jwtAuth needs the package no-such-package: npm install no-such-package'),
  );
  const folder = mkdtempSync(join(tmpdir(), 'millpond-peer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'broken.cjs'), 'throw new Error("broken inside")');
  expect(() => loadPeer(join(folder, 'broken.cjs'), 'jwtAuth')).toThrow('broken inside');
});
