/**
 * An array in the form that the server reads, nested arrays as its further dimensions.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function writeArray(items: readonly unknown[], toText: (item: unknown) => string | null): string {
  const parts = items.map((item) => {
    if (Array.isArray(item)) return writeArray(item, toText);
    const text = toText(item);
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${parts.join(',')}}`;
}
