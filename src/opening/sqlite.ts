export {
  openSqlite as openDatabase,
  type SqliteDatabase,
  type SqliteDatabaseOptions,
} from './open-sqlite.ts';
export { buildInterruptLibrary, type InterruptBuild } from '../sqlite/index.ts';
export type { SqliteSettings } from '../config/index.ts';
