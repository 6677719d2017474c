export type { BatchItemResult, CallOptions, RunResult, Shape, ShapeResult, Statement } from './calls.ts';
export type {
  AcquireRequest,
  BeginOptions,
  DriverConnection,
  Isolation,
  LeaseLike,
  LeaseSource,
} from './connection.ts';
