export { CleanSource } from './clean-source.ts';
export type { PostgresConnection } from './connection.ts';
export { PostgresEngine } from './engine.ts';
export { ENGINE_CONNECTIONS, ENGINE_HOLDERS } from './engine-connections.ts';
export { NotificationHub, type ListenOptions } from './notification-hub.ts';
export { Subscription, type ListenHandler, type ListenMessage } from './subscription.ts';
export type { ConnectionRole, PostgresSettings } from './settings.ts';
export { PostgresError } from './translate-failure.ts';
export type { PostgresStats } from './postgres-stats.ts';
