/** What drizzle says of a query that it built itself. */
export interface QueryMetadata {
  readonly type: 'select' | 'update' | 'delete' | 'insert';
}

/** True for drizzle's selects and relational queries; a raw text may be anything, so it is not. */
export function isRead(metadata: QueryMetadata | undefined, relationalMapper: unknown): boolean {
  return metadata === undefined ? relationalMapper !== undefined : metadata.type === 'select';
}
