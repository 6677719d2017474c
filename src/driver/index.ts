export { AbstractQueryable } from './abstract-queryable.ts';
export { armGrace, CallAlarms, disarm } from './call-alarm.ts';
export { NEVER_SENT, type CallEnding, type CancelReason } from './call-ending.ts';
export { acquireWithin, limitWaiting, type CallLimits } from './call-limits.ts';
export { checkCallOptions, NO_OPTIONS } from './call-options.ts';
export { noCopyError } from './copy-error.ts';
export type {
  BatchItemResult,
  CallOptions,
  CopySource,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
} from './calls.ts';
export type {
  AcquireRequest,
  BeginOptions,
  DriverConnection,
  Isolation,
  LeaseLike,
  LeaseSource,
} from './connection.ts';
export type { ColumnDescription, ParameterDescription, StatementDescription } from './description.ts';
export { rejectCall } from './reject-call.ts';
export type { Queryable, SqlInput } from './queryable.ts';
export type {
  CallContext,
  ObservedStatement,
  Placement,
  QueryObserver,
  StatementTables,
} from './observer.ts';
