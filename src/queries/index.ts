export { bindQueries, type BindOptions, type UntypedQueries, type UntypedQuery } from './bind-queries.ts';
export { loadQueries, type LoadOptions } from './load-queries.ts';
export type { CachedQuery, QueryCache, QueryDatabase } from './query-database.ts';
export type { SqlSource } from '../sqlfile/index.ts';
export type {
  AffectedQuery,
  EachQuery,
  ExactlyOneQuery,
  ExactReturningQuery,
  ExactValueQuery,
  ManyQuery,
  OneQuery,
  ReturningQuery,
  ScriptQuery,
  SqlValue,
  ValueQuery,
} from './query-types.ts';
export {
  checkQueries,
  generateQueries,
  type GeneratedQueries,
  type GenerateOptions,
} from './generate-queries.ts';
export type { SchemaSource } from './open-schema.ts';
