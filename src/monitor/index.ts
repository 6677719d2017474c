export { createMonitor, type Monitor } from './create-monitor.ts';
export type { MonitorOptions } from './monitor-options.ts';
export type { MonitoredCache, MonitoredDatabase, MonitoredHealth, MonitoredLease } from './monitored.ts';
export type { CacheState, DatabaseState, MonitorState } from './monitor-state.ts';
export type { DatabaseSample, Sample } from './sampler.ts';
