export { dialectWarnings } from './compare-dialects.ts';
export { createShapeReader } from './create-shape-reader.ts';
export type { ShapeSource, StatementShape } from './query-shape.ts';
export { inferQuery, type QueryTypes } from './infer-query.ts';
export { writeModule, type TypedQuery } from './write-module.ts';
