/**
 * The files of this folder are the one place that says where millpond is. In a project of your own there is no such
 * folder: `./millpond/index.ts` is the package `millpond`, and `./millpond/queries.ts` is `millpond/queries`.
 */
export { ConstraintError, openDatabase, sql, transactional } from '../../../../src/index.ts';
export type { Database, Sql } from '../../../../src/index.ts';
