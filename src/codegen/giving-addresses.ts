import type { Instruction } from './instructions.ts';

/** What may be done to a table in which rows wait; anything else changes their number. */
const FILLING: ReadonlySet<string> = new Set([
  'Column',
  'Insert',
  'NewRowid',
  'Next',
  'OpenEphemeral',
  'Rewind',
]);

/**
 * The instructions that produce a row of the result. RETURNING keeps its rows until all is written and gives
 * them in one loop at the end: of these it is the instruction that puts a row aside.
 * https://sqlite.org/lang_returning.html#processing_order
 */
export function givingAddresses(program: readonly Instruction[]): ReadonlySet<number> {
  const found = program.filter(({ opcode }) => opcode === 'ResultRow');
  return new Set(found.flatMap((row) => keptBy(row, program) ?? [row.addr]));
}

/** Where the rows were put that a loop gives as they are: Rewind, a Column for each, ResultRow, Next. */
function keptBy({ addr, p2: columns }: Instruction, program: readonly Instruction[]): number[] | undefined {
  const next = program[addr + 1];
  const first = addr - columns;
  const rewind = program[first - 1];
  if (next?.opcode !== 'Next' || next.p2 !== first || rewind?.opcode !== 'Rewind') return undefined;
  const cursor = next.p1;
  const isWhole =
    rewind.p1 === cursor &&
    rewind.p2 === addr + 2 &&
    program
      .slice(first, addr)
      .every(({ opcode, p1, p2 }, index) => opcode === 'Column' && p1 === cursor && p2 === index);
  const uses = program.filter(({ opcode, p1 }) => p1 === cursor && USES_CURSOR.test(opcode));
  if (!isWhole || uses.some(({ opcode }) => !FILLING.has(opcode))) return undefined;
  return uses.filter(({ opcode }) => opcode === 'Insert').map(({ addr: at }) => at);
}

/**
 * Instructions whose first operand is a cursor, as far as they apply to one that was opened for rows to wait
 * in.
 */
const USES_CURSOR = new RegExp(
  `^(?:${[
    'Clear|Close|Column|Delete|Found|Idx\\w+|Insert|Last|NewRowid|Next|NotExists|NotFound|NullRow',
    'Open\\w+|Prev|ReopenIdx|Reset\\w+|Rewind|Rowid|RowData|Seek\\w+|Sort\\w*',
  ].join('|')})$`,
);
