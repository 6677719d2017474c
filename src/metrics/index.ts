export { Metrics, type MetricsSnapshot, type RequestOptions } from './metrics.ts';
export type { MetricsOptions } from './metrics-options.ts';
export type { MetricsEventName, MetricsEvents } from './announcements.ts';
export {
  assertWithinBudget,
  overBudget,
  type MeasuredRequest,
  type QueryBudget,
  type RequestUsage,
} from './request.ts';
export type { EndedRequest, RouteSnapshot } from './route-table.ts';
export type { NPlusOneSuspect } from './n-plus-one.ts';
export type { DatabaseSnapshot } from './database-metrics.ts';
export type { RunningTransaction } from './transaction-watch.ts';
export type { StatementPhases, StatementSnapshot } from './statement-record.ts';
export { DurationHistogram, type DurationSummary, type HistogramMark } from './duration-histogram.ts';
export { EventLoopProbe, type EventLoopSnapshot } from './event-loop.ts';
export type { RecentError, RecentLeak, RecentNotice, RecentSlowQuery } from './recent-events.ts';
export type { ObservedCache, ObservedDatabase, ObservedPool, ObservedStats } from './observed-database.ts';
export { fingerprintOf, type Fingerprint } from './fingerprint.ts';
export type { PerformanceTracker } from './track-performance.ts';
export type { Labels, MetricFamily, Sample } from './metric-families.ts';
export {
  prometheusText,
  PROMETHEUS_CONTENT_TYPE,
  registerWithPrometheus,
  type FamilySource,
  type PrometheusRegistry,
} from './prometheus.ts';
export { adviseOnPlan, type PlanAdvice } from './plan-advice.ts';
export { explainStatement, type ExplainingDatabase, type StatementPlan } from './explain.ts';
export {
  instrument,
  type TelemetryMeter,
  type TelemetryOptions,
  type TelemetrySpan,
  type TelemetryTracer,
} from './open-telemetry.ts';
export { toEcsFields, withEcsFields, type EcsLogOptions } from './ecs-fields.ts';
export { createElasticShipper, type ElasticShipper, type ElasticShipperStats } from './elastic-shipper.ts';
export type { ElasticShipperOptions } from './elastic-options.ts';
