export { createShapeReader } from './create-shape-reader.ts';
export type {
  ColumnShape,
  RowCount,
  ShapeReader,
  ShapeSource,
  StatementShape,
  ValueShape,
} from './query-shape.ts';
export { inferQuery, type QueryTypes } from './infer-query.ts';
export { writeModule, type ModuleInput, type TypedQuery } from './write-module.ts';
