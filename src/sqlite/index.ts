export { acquireWithin, type CallLimits } from './call-limits.ts';
export { SqliteEngine, type SqliteEngineParts, type SqliteSources } from './engine.ts';
export type { SqliteConnection } from './connection.ts';
export { ENGINE_HOLDERS, type LaneSource } from './lane.ts';
export type { ConnectionRole, SqliteSettings } from './settings.ts';
export type { StatementAnalysis } from './statement-analysis.ts';
