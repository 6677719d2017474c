import type { Shape, Statement } from '../driver/index.ts';
import { toBindable } from './parameters.ts';
import type { PendingCall } from './pending-call.ts';
import { encodeStatement, Op, type Wire } from './protocol.ts';
import type { ReferencedStatement, StatementReferences } from './statement-references.ts';

/**
 * Writes a call's request, and notes on the call what its answer will be read with. The request is written
 * whole or, if a parameter cannot be bound, not at all.
 *
 * @throws UsageError
 */
export function encodeRequest(
  wire: Wire,
  call: PendingCall,
  { references, watch }: { readonly references: StatementReferences; readonly watch: boolean },
): void {
  const { request, seq } = call;
  switch (request.kind) {
    case 'statement': {
      const params = toBindable(request.statement.params);
      const { statement, reference } = references.use(request.statement.text);
      call.columns = statement;
      const op = request.grouped ? Op.write : Op.execute;
      const head = { op, seq, shape: request.shape, watch: watch && isRows(request.shape) && !call.mayWrite };
      encodeStatement(wire, head, reference, params);
      return;
    }
    case 'batch':
      return encodeBatch(wire, call, request.statements, references);
    case 'script':
      return void wire.push(Op.script, seq, request.text);
    case 'control':
      return void wire.push(Op.control, seq, request.verb, request.name);
    case 'maintain':
      return void wire.push(Op.maintain, seq, request.task, request.argument);
    case 'open-cursor': {
      const params = toBindable(request.statement.params);
      call.columns = request.columns;
      wire.push(Op.openCursor, seq, request.statement.text, request.chunkRows, params.length);
      for (const value of params) wire.push(value);
      return;
    }
    case 'fetch':
      call.columns = request.columns;
      return void wire.push(Op.fetch, seq, request.cursorId);
    case 'close-cursor':
      return void wire.push(Op.closeCursor, seq, request.cursorId);
  }
}

function encodeBatch(
  wire: Wire,
  call: PendingCall,
  statements: readonly Statement[],
  references: StatementReferences,
): void {
  const allParams = statements.map(({ params }) => toBindable(params));
  const known = new Map<number, ReferencedStatement>();
  wire.push(Op.batch, call.seq, statements.length);
  statements.forEach(({ text }, index) => {
    const { statement, reference } = references.use(text);
    known.set(statement.id, statement);
    wire.push(reference.id, reference.text, allParams[index]!.length);
    for (const value of allParams[index]!) wire.push(value);
  });
  call.batchColumns = known;
}

function isRows(shape: Shape): boolean {
  return shape === 'all' || shape === 'arrays';
}
