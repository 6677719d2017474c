/** Shorter pieces of a value are words like any other; hiding them would only make messages unreadable. */
const MIN_PIECE = 3;

/**
 * A message of the server's without the bound values: it quotes values that it cannot read (`invalid input
 * syntax for type integer: "…"`). What stands in the statement's own text is no secret and stays; nor are
 * NULL and truth values, whose words are the server's own (`violates not-null constraint`).
 */
export function redact(message: string, sql: string, params: readonly unknown[]): string {
  let clean = message;
  for (const param of params) {
    if (param === null || param === undefined || typeof param === 'boolean') continue;
    const value = textOf(param);
    if (value !== undefined && value.length >= MIN_PIECE && !sql.includes(value)) {
      clean = clean.replaceAll(value, '?');
    }
    if (typeof param !== 'string') {
      // Part of an array or an object may be quoted, so in that case whatever is in quotes may be a value.
      if (value === undefined) clean = clean.replace(/"[^"]*"/g, '"?"');
      continue;
    }
    for (const piece of param.split(/[^\p{L}\p{N}_]+/u)) {
      if (piece.length >= MIN_PIECE && !sql.includes(piece)) clean = clean.replaceAll(piece, '?');
    }
  }
  return clean;
}

/** Undefined for arrays and objects, of which only parts are quoted. */
function textOf(param: unknown): string | undefined {
  if (typeof param === 'string') return param;
  return typeof param === 'number' || typeof param === 'bigint' ? param.toString() : undefined;
}
