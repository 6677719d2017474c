import { expect, test } from 'vitest';
import { Op, type Wire } from './protocol.ts';
import { StatementReferences } from './statement-references.ts';

test('a text crosses to the worker once', () => {
  const references = new StatementReferences(10);
  const first = references.use('select 1');
  expect(first.reference).toEqual({ id: 1, text: 'select 1' });
  expect(references.use('select 1')).toEqual({
    statement: first.statement,
    reference: { id: 1, text: null },
  });
  expect(references.use('select 2').reference).toEqual({ id: 2, text: 'select 2' });
});

test('the oldest text is forgotten on both sides, after the request that needed the room', () => {
  const references = new StatementReferences(2);
  for (const text of ['a', 'b', 'c']) references.use(text);
  const wire: Wire = [];
  references.writeForgotten(wire);
  references.writeForgotten(wire);
  expect(wire).toEqual([Op.forget, 1]);
  expect(references.use('a').reference).toEqual({ id: 4, text: 'a' });
});
