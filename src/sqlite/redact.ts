/** Shorter pieces of a value are words like any other; hiding them would only make messages unreadable. */
const MIN_PIECE = 3;

/**
 * An error message without the bound values. SQLite quotes values in some: the query string of a full-text
 * search (`no such column: …`), a JSON path, a date modifier. What stands in the statement's own text is no
 * secret and stays.
 */
export function redact(message: string, sql: string, params: readonly unknown[]): string {
  let clean = message;
  for (const value of params) {
    if (typeof value !== 'string' || value.length < MIN_PIECE) continue;
    clean = clean.replaceAll(value, '?');
    for (const piece of value.split(/[^\p{L}\p{N}_]+/u)) {
      if (piece.length >= MIN_PIECE && !sql.includes(piece)) clean = clean.replaceAll(piece, '?');
    }
  }
  return clean;
}

/** Runs `work`; an error of SQLite's is thrown without the bound values. */
export function withoutValues<T>(sql: string, params: readonly unknown[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'errcode' in error) error.message = redact(error.message, sql, params);
    throw error;
  }
}
