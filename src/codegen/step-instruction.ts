import type { AbstractState } from './abstract-state.ts';
import { aggregate } from './aggregate-instructions.ts';
import {
  INTEGER,
  NOTHING,
  NULL,
  ofClasses,
  TEXT,
  UNKNOWN,
  type AbstractValue,
  type StoredColumn,
} from './abstract-value.ts';
import {
  BRANCHES,
  COMPARISONS,
  INTEGERS_IN_P2,
  KEYED,
  LOOPS,
  MOVES_OR_JUMPS,
  PLAIN,
  type Instruction,
} from './instructions.ts';
import { UnknownInstruction, type ProgramView, type Way } from './program-view.ts';
import { ROWID } from './sqlite-schema.ts';
import { writeRegister } from './write-register.ts';
import { openCursor, readField, recordOf } from './cursor-instructions.ts';

/** Comparisons jump when an operand is NULL: https://sqlite.org/opcode.html#Eq */
const JUMP_IF_NULL = 0x10;
/** NULL is equal to NULL. */
const NULL_EQUALS = 0x80;
/** Counters up to here are counted down exactly, so that LIMIT 1 is seen to end a loop. */
const MOST_COUNTED = 2;

/** The paths that lead on from one instruction, each with what is known on it. @throws UnknownInstruction */
export function stepInstruction(pc: number, before: AbstractState, view: ProgramView): Way[] {
  const op = view.program[pc];
  if (op === undefined) throw new UnknownInstruction(`no instruction ${pc}`);
  const step = new Step(pc, op, before.copy(), view);
  return step.ways();
}

class Step {
  readonly #pc: number;
  readonly #op: Instruction;
  readonly #state: AbstractState;
  readonly #view: ProgramView;

  constructor(pc: number, op: Instruction, state: AbstractState, view: ProgramView) {
    this.#pc = pc;
    this.#op = op;
    this.#state = state;
    this.#view = view;
  }

  ways(): Way[] {
    const { opcode } = this.#op;
    if (PLAIN.has(opcode)) return this.#on();
    this.#noteKeys();
    if (BRANCHES.has(opcode)) return [...this.#on(), ...this.#jump(this.#state.copy())];
    if (MOVES_OR_JUMPS.has(opcode) || LOOPS.has(opcode)) {
      this.#state.move(this.#op.p1, 'no', this.#skipsNull());
      return [...this.#on(), ...this.#jump(this.#state.copy())];
    }
    if (COMPARISONS.has(opcode)) return this.#comparison();
    if (INTEGERS_IN_P2.has(opcode)) return this.#write(this.#op.p2, INTEGER);
    if (writeRegister(this.#op, this.#state)) return this.#on();
    if (aggregate(this.#op, this.#state, this.#view.program)) return this.#on();
    return this.#flow() ?? this.#test() ?? this.#cursor() ?? this.#unknown();
  }

  #unknown(): never {
    throw new UnknownInstruction(this.#op.opcode);
  }

  #on(): Way[] {
    return [{ to: this.#pc + 1, state: this.#state }];
  }

  #jump(state: AbstractState): Way[] {
    return this.#op.p2 === 0 ? [] : [{ to: this.#op.p2, state }];
  }

  #write(register: number, classes: number): Way[] {
    this.#state.set(register, ofClasses(classes));
    return this.#on();
  }

  /** Where a program goes without looking at data. Return addresses are integers in registers. */
  #flow(): Way[] | undefined {
    const { opcode, p1, p2, p3 } = this.#op;
    const state = this.#state;
    switch (opcode) {
      case 'Init':
      case 'Goto':
        return [{ to: p2, state }];
      case 'Halt':
        return [{ to: p1 === 0 ? 'end' : 'error', state }];
      case 'HaltIfNull':
        return state.refineNotNull(p3) ? this.#on() : [];
      case 'Gosub':
        this.#setAddress(p1, this.#pc);
        return [{ to: p2, state }];
      case 'Return':
        return this.#return();
      case 'BeginSubrtn':
        state.set(p2, NOTHING);
        return this.#on();
      case 'InitCoroutine':
        this.#setAddress(p1, p3 - 1);
        return p2 === 0 ? this.#on() : [{ to: p2, state }];
      case 'Yield':
        return this.#resume(p1, this.#pc, (address) => address + 1);
      case 'EndCoroutine':
        return this.#resume(p1, this.#pc - 1, (address) => this.#view.program[address]!.p2);
      case 'Once':
        return this.#once();
      case 'ResultRow':
        this.#view.giveRow(Array.from({ length: p2 }, (_, index) => state.get(p1 + index)));
        return this.#on();
      case 'Jump':
        return [p1, p2, p3].map((to) => ({ to, state: state.copy() }));
      case 'Compare':
        this.#noteCompared(p1, p2, p3);
        return this.#on();
      default:
        return undefined;
    }
  }

  #setAddress(register: number, address: number): void {
    this.#state.set(register, { classes: INTEGER, integer: address });
  }

  #return(): Way[] {
    const { p1, p3 } = this.#op;
    const { integer, classes } = this.#state.get(p1);
    if (integer !== undefined) return [{ to: integer + 1, state: this.#state }];
    // It was entered by running into it, not by Gosub, so it goes on from where it is.
    if (p3 === 1 && classes === NULL) return this.#on();
    // Addresses were merged: any call of this subroutine may have been the one.
    const calls = this.#view.program.filter(
      ({ opcode, p1: register }) => opcode === 'Gosub' && register === p1,
    );
    const backs = calls.map(({ addr }) => ({ to: addr + 1, state: this.#state.copy() }));
    return p3 === 1 ? [...backs, ...this.#on()] : backs;
  }

  #resume(register: number, leftAt: number, target: (address: number) => number): Way[] {
    const { integer } = this.#state.get(register);
    if (integer === undefined) throw new UnknownInstruction('a coroutine whose place is not known');
    this.#setAddress(register, leftAt);
    return [{ to: target(integer), state: this.#state }];
  }

  /** Falls through the first time, jumps from then on. A register that no program has remembers it. */
  #once(): Way[] {
    const memory = -1 - this.#pc;
    const { integer, classes } = this.#state.get(memory);
    const first = this.#state.copy();
    first.set(memory, { classes: INTEGER, integer: 1 });
    if (integer === 1) return this.#jump(this.#state);
    if (classes === NULL) return [{ to: this.#pc + 1, state: first }];
    return [{ to: this.#pc + 1, state: first }, ...this.#jump(this.#state)];
  }

  /** Jumps that depend on a register. */
  #test(): Way[] | undefined {
    const { opcode, p1, p2, p3 } = this.#op;
    const { integer } = this.#state.get(p1);
    switch (opcode) {
      case 'IsNull':
        return this.#split({ jumpNull: true });
      case 'NotNull':
        return this.#split({ jumpNull: false });
      case 'If':
        return this.#truth(integer === undefined ? undefined : integer !== 0, p3 === 0 ? 'jump' : undefined);
      case 'IfNot':
        return this.#truth(integer === undefined ? undefined : integer === 0, p3 === 0 ? undefined : 'on');
      case 'IfPos':
        return this.#counter(integer === undefined ? undefined : integer > 0, p3);
      case 'IfNotZero':
        return this.#counter(integer === undefined ? undefined : integer !== 0, 1);
      case 'DecrJumpZero':
        return this.#decrement(integer);
      case 'MustBeInt':
        this.#view.evidence.used(this.#state.get(p1), 'number');
        return this.#mustBeInt();
      case 'RowSetRead':
        return this.#rowSet(ofClasses(INTEGER));
      case 'RowSetTest':
        return [...this.#on(), ...this.#jump(this.#state.copy())];
      case 'SeekScan': {
        this.#state.move(p1);
        const skipped = this.#view.program[this.#pc + 1]?.p2 ?? p2;
        return [...this.#on(), ...this.#jump(this.#state.copy()), { to: skipped, state: this.#state.copy() }];
      }
      case 'IfNullRow':
        return this.#ifNullRow();
      default:
        return undefined;
    }
  }

  #split({ jumpNull }: { readonly jumpNull: boolean }): Way[] {
    const { p1 } = this.#op;
    const isNull = this.#state.copy();
    const ways: Way[] = [];
    const value = this.#state.get(p1);
    if ((value.classes & NULL) !== 0) {
      isNull.set(p1, { ...value, classes: NULL, integer: undefined });
      ways.push(...(jumpNull ? this.#jump(isNull) : [{ to: this.#pc + 1, state: isNull }]));
    }
    if (this.#state.refineNotNull(p1)) ways.push(...(jumpNull ? this.#on() : this.#jump(this.#state)));
    return ways;
  }

  /** `sure` is whether the register's constant decides; `notNull` names the way on which it is not NULL. */
  #truth(jumps: boolean | undefined, notNull: 'jump' | 'on' | undefined): Way[] {
    const other = this.#state.copy();
    const ways: Way[] = [];
    const { p1 } = this.#op;
    if (jumps !== true && (notNull !== 'on' || this.#state.refineNotNull(p1))) ways.push(...this.#on());
    if (jumps !== false && (notNull !== 'jump' || other.refineNotNull(p1))) ways.push(...this.#jump(other));
    return ways;
  }

  #counter(jumps: boolean | undefined, step: number): Way[] {
    const { p1 } = this.#op;
    const other = this.#state.copy();
    if (step !== 0) other.set(p1, ofClasses(INTEGER));
    return [...(jumps === true ? [] : this.#on()), ...(jumps === false ? [] : this.#jump(other))];
  }

  #decrement(integer: number | undefined): Way[] {
    const { p1 } = this.#op;
    const isExact = integer !== undefined && integer > 0 && integer <= MOST_COUNTED;
    this.#state.set(p1, { classes: INTEGER, integer: isExact ? integer - 1 : undefined });
    if (isExact) return integer === 1 ? this.#jump(this.#state) : this.#on();
    return [...this.#on(), ...this.#jump(this.#state.copy())];
  }

  #mustBeInt(): Way[] {
    const { p1 } = this.#op;
    const other = this.#state.copy();
    const value = this.#state.get(p1);
    this.#state.set(p1, { ...value, classes: INTEGER });
    const isSure = value.integer !== undefined;
    return isSure ? this.#on() : [...this.#on(), ...this.#jump(other)];
  }

  #rowSet(value: { readonly classes: number }): Way[] {
    const empty = this.#state.copy();
    this.#state.set(this.#op.p3, value);
    return [...this.#on(), ...this.#jump(empty)];
  }

  #ifNullRow(): Way[] {
    const { p1, p3 } = this.#op;
    const cursor = this.#state.cursor(p1);
    const onNull = this.#state.copy();
    onNull.set(p3, NOTHING);
    onNull.cursors.set(p1, { ...cursor, nullRow: 'yes' });
    this.#state.cursors.set(p1, { ...cursor, nullRow: 'no' });
    return [
      ...(cursor.nullRow === 'yes' ? [] : this.#on()),
      ...(cursor.nullRow === 'no' ? [] : this.#jump(onNull)),
    ];
  }

  /** On the way on which the comparison is true, or known not to be NULL, neither side is NULL. */
  #comparison(): Way[] {
    const { opcode, p1, p3, p5 } = this.#op;
    this.#noteCompared(p1, p3, 1);
    const jumped = this.#state.copy();
    if ((p5 & NULL_EQUALS) !== 0) {
      const sameAs = opcode === 'Eq' ? jumped : opcode === 'Ne' ? this.#state : undefined;
      if (sameAs !== undefined && (sameAs.get(p1).classes & NULL) === 0) sameAs.refineNotNull(p3);
      else if (sameAs !== undefined && (sameAs.get(p3).classes & NULL) === 0) sameAs.refineNotNull(p1);
      return [...this.#on(), ...this.#jump(jumped)];
    }
    const sure = (p5 & JUMP_IF_NULL) === 0 ? jumped : this.#state;
    const isPossible = sure.refineNotNull(p1) && sure.refineNotNull(p3);
    const ways: Way[] = [];
    if (isPossible || sure !== this.#state) ways.push(...this.#on());
    if (isPossible || sure !== jumped) ways.push(...this.#jump(jumped));
    return ways;
  }

  #noteCompared(first: number, second: number, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const [one, other] = [this.#state.get(first + index), this.#state.get(second + index)];
      this.#view.evidence.compared(one, other.column);
      this.#view.evidence.compared(other, one.column);
    }
  }

  /** What is looked for in a table or an index is compared with its columns. */
  #noteKeys(): void {
    const { opcode, p1, p3, p4 } = this.#op;
    const { tree } = this.#state.cursor(p1);
    if (opcode === 'SeekRowid' || opcode === 'NotExists') {
      this.#view.evidence.compared(this.#state.get(p3), ROWID);
    } else if (KEYED.has(opcode) && tree !== undefined) {
      for (let index = 0; index < Number(p4); index += 1) {
        this.#view.evidence.compared(this.#state.get(p3 + index), tree.fields[index]);
      }
    }
  }

  /**
   * NULL comes first in an index: behind a key that is not NULL, and from there upwards, there is no NULL.
   */
  #skipsNull(): boolean {
    const { opcode, p1, p3, p4 } = this.#op;
    const { tree, skipsNull } = this.#state.cursor(p1);
    if (opcode === 'Next') return skipsNull;
    if (tree?.isAscendingIndex !== true || Number(p4) < 1) return false;
    const { classes } = this.#state.get(p3);
    const isBehindNull = opcode === 'SeekGT' && classes === NULL && Number(p4) === 1;
    return isBehindNull || ((opcode === 'SeekGT' || opcode === 'SeekGE') && (classes & NULL) === 0);
  }

  /** What opens, moves and reads cursors. */
  #cursor(): Way[] | undefined {
    const { opcode, p1, p2, p3 } = this.#op;
    const state = this.#state;
    if (openCursor(this.#op, state, this.#view.trees)) return this.#on();
    switch (opcode) {
      case 'NullRow':
        // A pseudo cursor reads its register all the same.
        state.move(p1, state.cursor(p1).register === undefined ? 'yes' : 'no');
        return this.#on();
      case 'DeferredSeek':
        state.move(p3);
        return this.#on();
      case 'Column':
        state.set(p3, readField(state, this.#view, { cursor: p1, field: p2 }));
        return this.#on();
      case 'Rowid':
      case 'IdxRowid': {
        const { nullRow } = state.cursor(p1);
        const classes = nullRow === 'no' ? INTEGER : nullRow === 'yes' ? NULL : INTEGER | NULL;
        state.set(p2, { classes, column: ROWID, origin: { cursor: p1, column: -1 } });
        return this.#on();
      }
      case 'NewRowid':
        return this.#write(p2, INTEGER);
      case 'VColumn':
        return this.#write(p3, UNKNOWN.classes);
      case 'RowData':
      case 'SorterData':
        state.set(p2, { classes: TEXT, record: recordOf(state, this.#view, p1) });
        if (opcode === 'SorterData') state.move(p3);
        return this.#on();
      case 'Insert':
      case 'IdxInsert':
      case 'SorterInsert':
        this.#insert();
        return this.#on();
      default:
        return undefined;
    }
  }

  #insert(): void {
    const { opcode, p1, p2, p3 } = this.#op;
    const { temporary, tree } = this.#state.cursor(p1);
    const { record, recordStart } = this.#state.get(p2);
    if (temporary !== undefined) this.#view.contents.add(temporary, record);
    if (opcode !== 'Insert' || tree === undefined) return;
    record?.forEach((value, index) => {
      const column = tree.fields[index];
      this.#view.evidence.stored(value, column, column === undefined || (column.classes & NULL) !== 0);
      if (recordStart !== undefined) this.#noteStored(recordStart + index, value, column);
    });
    this.#view.evidence.stored(this.#state.get(p3), ROWID, false);
  }

  /** What RETURNING gives of a parameter is what the column made of it. */
  #noteStored(register: number, value: AbstractValue, column: StoredColumn | undefined): void {
    const stored = this.#state.get(register);
    if (column === undefined || value.parameters === undefined || stored.parameters !== value.parameters)
      return;
    const classes = (column.classes & ~NULL) | (stored.classes & column.classes & NULL);
    this.#state.set(register, { ...stored, classes });
  }
}
