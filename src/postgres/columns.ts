/** A column of a result: https://www.postgresql.org/docs/current/protocol-message-formats.html */
export interface Column {
  readonly name: string;
  /** The object id of the table that the values come from as they are; 0 for an expression. */
  readonly tableId: number;
  /** The number of the table's column; 0 for an expression. */
  readonly columnNumber: number;
  readonly typeId: number;
  readonly typeModifier: number;
}

/** The columns of a RowDescription. */
export function readColumns(buffer: Buffer, start: number): Column[] {
  const count = buffer.readInt16BE(start);
  const columns: Column[] = [];
  let at = start + 2;
  for (let index = 0; index < count; index += 1) {
    const stop = cstringEnd(buffer, at);
    const name = buffer.toString('utf8', at, stop);
    at = stop + 1;
    columns.push({
      name,
      tableId: buffer.readUInt32BE(at),
      columnNumber: buffer.readInt16BE(at + 4),
      typeId: buffer.readUInt32BE(at + 6),
      typeModifier: buffer.readInt32BE(at + 12),
    });
    at += 18;
  }
  return columns;
}

/** The types of a ParameterDescription. */
export function readParameterTypes(buffer: Buffer, start: number): number[] {
  const count = buffer.readUInt16BE(start);
  return Array.from({ length: count }, (_, index) => buffer.readUInt32BE(start + 2 + index * 4));
}

/** Where the text that begins at `start` ends: at a zero byte. */
export function cstringEnd(buffer: Buffer, start: number): number {
  return buffer.indexOf(0, start);
}
