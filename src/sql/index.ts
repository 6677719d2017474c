export { Sql, sql } from './sql.ts';
export { compile, type Params } from './compile.ts';
export { checkText, hasPlaceholders } from './analyse-text.ts';
export type { Dialect } from './dialect.ts';
