export { bindQueries, type BindOptions, type UntypedQueries, type UntypedQuery } from './bind-queries.ts';
export { loadQueries, type LoadOptions } from './load-queries.ts';
export type { CachedCall, QueryCache, QueryDatabase } from './query-database.ts';
export type { SqlSource } from '../sqlfile/index.ts';
