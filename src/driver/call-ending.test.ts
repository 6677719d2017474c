import { expect, test } from 'vitest';
import { NEVER_SENT, timeoutError } from './call-ending.ts';

const WRITE = { name: 'sales', timeoutMs: 50, mayWrite: true };

test('the error of a limit names the query and the limit, and nothing else for an unsent read', () => {
  const error = timeoutError({ ...WRITE, mayWrite: false }, NEVER_SENT);
  expect(error.message).toBe('Query "sales" did not end within 50 ms.');
  expect(error).toMatchObject({ timeoutMs: 50, rollback: undefined, cancellation: undefined });
  expect(timeoutError({ ...WRITE, name: undefined }, NEVER_SENT).message).toContain('The statement did not');
});

test('the error of a limit says whether a write is known to be undone, and how it was stopped', () => {
  expect(timeoutError(WRITE, NEVER_SENT)).toMatchObject({ rollback: 'confirmed', cancellation: undefined });
  const abandoned = timeoutError(WRITE, { cancellation: 'abandon', confirmed: false });
  expect(abandoned).toMatchObject({ rollback: 'pending', cancellation: 'abandon' });
});
