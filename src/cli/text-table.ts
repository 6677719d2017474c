const GAP = '  ';
const MAX_CELL = 60;

/** Rows as text in columns; numbers to the right. Long cells are cut. */
export function textTable(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map(toCell));
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join(GAP)
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function toCell(value: unknown): string {
  const text = value instanceof Uint8Array ? `${value.length} bytes` : textOf(value);
  // A line break, or what moves the cursor of a terminal, must not come from data.
  const plain = text.replaceAll(/\p{Cc}/gu, ' ');
  return plain.length <= MAX_CELL ? plain : `${plain.slice(0, MAX_CELL - 1)}…`;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string}`;
}

function isNumeric(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'number' || typeof value === 'bigint';
}
