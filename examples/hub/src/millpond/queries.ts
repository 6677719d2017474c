/** `millpond/queries` */
export { bindQueries, checkQueries, generateQueries } from '../../../../src/queries/index.ts';
export type {
  AffectedQuery,
  BindOptions,
  EachQuery,
  GenerateOptions,
  ManyQuery,
  OneQuery,
  QueryDatabase,
  SqlSource,
  ValueQuery,
  ExactReturningQuery,
  ExactValueQuery,
} from '../../../../src/queries/index.ts';
