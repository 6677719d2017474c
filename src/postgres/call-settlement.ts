import { disarm, rejectCall, type CallEnding, type ObservedStatement } from '../driver/index.ts';
import type { WorkDone } from './cost-model.ts';
import type { PendingCall } from './pending-call.ts';

/** Gives the caller its answer, unless it has one, and tells the observer. */
export function succeedCall(
  call: PendingCall,
  { value, rows, ranMs }: WorkDone & { readonly value: unknown },
  connectionId: number | undefined,
): void {
  if (!settle(call)) return;
  const { observer } = call;
  if (observer !== undefined) {
    const durationMs = performance.now() - call.startedAt;
    if (observer.record(durationMs, rows)) {
      observer.succeeded(observed(call, { durationMs, ranMs }, connectionId), rows);
    }
  }
  call.resolve(value);
}

export function failCall(call: PendingCall, error: unknown, connectionId?: number): void {
  if (!settle(call)) return;
  const { observer } = call;
  if (observer === undefined) return call.reject(error);
  const durationMs = performance.now() - call.startedAt;
  rejectCall(call, error, () =>
    observer.failed(observed(call, { durationMs }, connectionId), error as Error),
  );
}

/** The ending of a call that the server was asked to stop. */
export function stopped(confirmed: boolean): CallEnding {
  return { cancellation: confirmed ? 'interrupt' : 'abandon', confirmed };
}

function observed(
  call: PendingCall,
  { durationMs, ranMs }: Pick<ObservedStatement, 'durationMs' | 'ranMs'>,
  connectionId: number | undefined,
): ObservedStatement {
  const { text, name, params, placement, transactionId, context, sentAt } = call;
  const waitedMs = sentAt === undefined ? undefined : sentAt - call.startedAt;
  // Nobody reports what the parts of a batch touch.
  const tables = context === undefined || call.plans.length > 1 ? undefined : call.plans[0]?.tables;
  return {
    text,
    name,
    params,
    placement,
    connectionId,
    transactionId,
    durationMs,
    waitedMs,
    ranMs,
    tables,
    context,
  };
}

/** @returns false when the caller has its answer already. */
function settle(call: PendingCall): boolean {
  if (call.settled) return false;
  call.settled = true;
  disarm(call);
  return true;
}
