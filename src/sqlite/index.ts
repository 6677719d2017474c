export { buildInterruptLibrary, type InterruptBuild } from './build-interrupt.ts';
export { SqliteEngine } from './engine.ts';
export type { SqliteStats } from './engine-stats.ts';
export type { SqliteConnection } from './connection.ts';
export { ENGINE_HOLDERS, EXPRESS_READERS } from './lane.ts';
export type { ConnectionRole, SqliteSettings } from './settings.ts';
