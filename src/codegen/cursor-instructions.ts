import type { AbstractState } from './abstract-state.ts';
import { ANYTHING, NOTHING, NULL, UNKNOWN, type AbstractValue } from './abstract-value.ts';
import type { Instruction } from './instructions.ts';
import type { ProgramView } from './program-view.ts';
import type { StoredTree } from './sqlite-schema.ts';

/** The root page is in a register, not in the instruction: https://sqlite.org/opcode.html#OpenWrite */
const ROOT_IN_REGISTER = 0x10;
/** The empty set of values: no row was written yet, so none is read. */
const NO_VALUE: AbstractValue = { classes: 0 };

/** @returns false for an instruction that opens no cursor */
export function openCursor(
  { opcode, p1, p2, p3, p5 }: Instruction,
  state: AbstractState,
  trees: ReadonlyMap<number, StoredTree>,
): boolean {
  switch (opcode) {
    case 'OpenRead':
    case 'OpenWrite':
    case 'ReopenIdx':
      // Only of the main database: https://sqlite.org/opcode.html#OpenRead
      state.open(p1, { tree: p3 === 0 && (p5 & ROOT_IN_REGISTER) === 0 ? trees.get(p2) : undefined });
      return true;
    case 'OpenEphemeral':
    case 'OpenAutoindex':
    case 'SorterOpen':
      state.open(p1, { temporary: p1 });
      return true;
    case 'OpenDup':
      state.open(p1, { temporary: state.cursor(p2).temporary });
      return true;
    case 'OpenPseudo':
      state.open(p1, { register: p2 });
      return true;
    case 'VOpen':
      state.open(p1, {});
      return true;
    default:
      return false;
  }
}

/** The value of a field in the row that a cursor is on. */
export function readField(
  state: AbstractState,
  view: ProgramView,
  { cursor: number, field }: { readonly cursor: number; readonly field: number },
): AbstractValue {
  const cursor = state.cursor(number);
  if (cursor.nullRow === 'yes') return NOTHING;
  const origin = { cursor: number, column: field };
  const value = storedField(state, view, { cursor: number, field });
  const isKnown = cursor.notNull.has(field) || (cursor.skipsNull && field === 0);
  const classes = isKnown ? value.classes & ~NULL : value.classes | (cursor.nullRow === 'maybe' ? NULL : 0);
  return { ...value, classes, integer: undefined, origin };
}

function storedField(
  state: AbstractState,
  view: ProgramView,
  { cursor, field }: { readonly cursor: number; readonly field: number },
): AbstractValue {
  const { tree } = state.cursor(cursor);
  if (tree === undefined) {
    const record = recordOf(state, view, cursor);
    if (record === undefined) return UNKNOWN;
    return record.length === 0 ? NO_VALUE : (record[field] ?? UNKNOWN);
  }
  const column = tree.fields[field];
  return { classes: column?.classes ?? ANYTHING, column };
}

/** The record that a cursor is on; undefined where its fields are not known. */
export function recordOf(
  state: AbstractState,
  view: ProgramView,
  cursor: number,
): readonly AbstractValue[] | undefined {
  const { temporary, register, tree } = state.cursor(cursor);
  if (temporary !== undefined) return view.contents.get(temporary);
  if (register !== undefined) return state.get(register).record;
  return tree?.fields.map((column) => ({ classes: column?.classes ?? ANYTHING, column }));
}
