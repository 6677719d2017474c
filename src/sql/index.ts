export { Sql, sql, type SqlTag } from './sql.ts';
export { compile, type CompiledSql, type Params } from './compile.ts';
export { checkText, hasPlaceholders } from './analyse-text.ts';
export type { Dialect } from './dialect.ts';
