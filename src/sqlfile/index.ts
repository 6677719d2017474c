export type { Operation, ParameterDefinition, QueryDefinition } from './definition.ts';
export { toPascalCase } from './camel-case.ts';
export {
  fullName,
  readSqlFolder,
  readSqlSources,
  type InitScript,
  type SqlFolder,
  type SqlQuery,
  type SqlSource,
} from './folder.ts';
export { parseSqlFile } from './parse-file.ts';
export { fullVariant, renderQuery, type RenderedQuery, type Slot, type Variant } from './render.ts';
export { Scanner } from './scanner.ts';
export { selectInitScript, selectVariants, type SelectedQuery } from './select-variants.ts';
export { SourceText } from './source-text.ts';
export { splitScript } from './split-script.ts';
