/** The one place that says where millpond is. In a project of your own it is the package: `from 'millpond'`. */
export { ConstraintError, getDb, openDatabase, sql, transactional } from '../../../src/index.ts';
export type { Database, Sql } from '../../../src/index.ts';
