import { PostgresShapeReader } from './describe-postgres.ts';
import { SqliteShapeReader } from './describe-sqlite.ts';
import type { ShapeReader, ShapeSource } from './query-shape.ts';

/** The reader for a database's dialect. */
export function createShapeReader(source: ShapeSource): ShapeReader {
  return source.dialect === 'sqlite' ? new SqliteShapeReader(source) : new PostgresShapeReader(source);
}
