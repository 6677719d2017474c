export {
  openPostgres as openDatabase,
  type PostgresDatabase,
  type PostgresDatabaseOptions,
} from './open-postgres.ts';
export {
  PostgresError,
  type ListenHandler,
  type ListenMessage,
  type ListenOptions,
  type Subscription,
} from '../postgres/index.ts';
export type { PostgresSettings, ReplicaSettings } from '../config/index.ts';
export type { CopySource } from '../driver/index.ts';
