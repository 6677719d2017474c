import type { AbstractState } from './abstract-state.ts';
import {
  BLOB,
  INTEGER,
  mayBeNull,
  NOTHING,
  NULL,
  NUMERIC,
  ofClasses,
  REAL,
  TEXT,
  UNKNOWN,
  type AbstractValue,
} from './abstract-value.ts';
import type { Instruction } from './instructions.ts';
import { functionResult } from './sqlite-functions.ts';

/** What an affinity's letter makes of other classes: https://sqlite.org/datatype3.html#type_affinity */
const CAST: Readonly<Record<string, number>> = {
  A: BLOB,
  B: TEXT,
  C: NUMERIC,
  D: INTEGER,
  E: REAL,
  F: NUMERIC,
};

/** Instructions that compute a value and go on. @returns false for another one */
export function writeRegister(op: Instruction, state: AbstractState): boolean {
  return writeConstant(op, state) || copyRegisters(op, state) || compute(op, state) || convert(op, state);
}

function writeConstant({ opcode, p1, p2, p3, p4 }: Instruction, state: AbstractState): boolean {
  switch (opcode) {
    case 'Integer':
      state.set(p2, { classes: INTEGER, integer: p1, isOrdinaryNumber: p1 !== 0 });
      return true;
    case 'Int64':
      state.set(p2, { classes: INTEGER, isOrdinaryNumber: true });
      return true;
    case 'Real': {
      const number = Number(p4);
      state.set(p2, { classes: REAL, isOrdinaryNumber: Number.isFinite(number) && number !== 0 });
      return true;
    }
    case 'String':
    case 'String8':
      state.set(p2, { classes: TEXT, text: opcode === 'String8' ? String(p4) : undefined });
      return true;
    case 'Blob':
      state.set(p2, ofClasses(BLOB));
      return true;
    case 'Null':
      for (let register = p2; register <= Math.max(p2, p3); register += 1) state.set(register, NOTHING);
      return true;
    case 'SoftNull':
      state.set(p1, NOTHING);
      return true;
    case 'Variable':
      state.set(p2, { ...UNKNOWN, parameters: [p1] });
      return true;
    case 'CollSeq':
      if (p1 !== 0) state.set(p1, { classes: INTEGER, integer: 0 });
      return true;
    default:
      return false;
  }
}

function copyRegisters({ opcode, p1, p2, p3 }: Instruction, state: AbstractState): boolean {
  switch (opcode) {
    case 'SCopy':
    case 'IntCopy':
      state.set(p2, state.get(p1));
      return true;
    case 'Copy':
      for (let index = 0; index <= p3; index += 1) state.set(p2 + index, state.get(p1 + index));
      return true;
    case 'Move':
      for (let index = 0; index < p3; index += 1) {
        state.set(p2 + index, state.get(p1 + index));
        state.set(p1 + index, NOTHING);
      }
      return true;
    default:
      return false;
  }
}

function compute({ opcode, p1, p2, p3, p4 }: Instruction, state: AbstractState): boolean {
  const [one, other] = [state.get(p1), state.get(p2)];
  const anyNull = mayBeNull(one) || mayBeNull(other) ? NULL : 0;
  switch (opcode) {
    case 'Add':
    case 'Subtract':
    case 'Multiply':
      // Integers become REAL where they would overflow, and text is read as a number.
      state.set(p3, ofClasses(NUMERIC | anyNull | nullOfInfinities(one, other)));
      return true;
    case 'Divide':
    case 'Remainder':
      // By zero it is NULL, and so is one infinity by another; the divisor is P1.
      state.set(p3, ofClasses(NUMERIC | anyNull | nullOfDivisor(opcode, one)));
      return true;
    case 'BitAnd':
    case 'BitOr':
    case 'ShiftLeft':
    case 'ShiftRight':
    case 'And':
    case 'Or':
      state.set(p3, ofClasses(INTEGER | anyNull));
      return true;
    case 'Concat':
      // Bytes concatenated with bytes stay bytes.
      state.set(p3, ofClasses(TEXT | (one.classes & other.classes & BLOB) | anyNull));
      return true;
    case 'Not':
    case 'BitNot':
      state.set(p2, ofClasses(INTEGER | (mayBeNull(one) ? NULL : 0)));
      return true;
    case 'IsTrue':
      state.set(p2, ofClasses(INTEGER));
      return true;
    case 'ZeroOrNull':
      state.set(p2, ofClasses(INTEGER | (mayBeNull(one) || mayBeNull(state.get(p3)) ? NULL : 0)));
      return true;
    case 'Function':
    case 'PureFunc':
      state.set(p3, callFunction(String(p4), p2, state));
      return true;
    default:
      return false;
  }
}

/** Infinity minus infinity and zero times infinity are NULL; a declared INTEGER is never infinite. */
function nullOfInfinities(one: AbstractValue, other: AbstractValue): number {
  const isSafe = (value: AbstractValue) => value.isOrdinaryNumber === true;
  const isInteger = (value: AbstractValue) => (value.classes & ~(INTEGER | NULL)) === 0;
  return isSafe(one) || isSafe(other) || (isInteger(one) && isInteger(other)) ? 0 : NULL;
}

function nullOfDivisor(opcode: string, divisor: AbstractValue): number {
  // The remainder makes integers of both: 0.5 would be zero.
  const isInteger = (divisor.classes & ~INTEGER) === 0;
  return divisor.isOrdinaryNumber === true && (opcode === 'Divide' || isInteger) ? 0 : NULL;
}

/**
 * The name stands with the number of its arguments, or with a negative one where that varies. An argument was
 * written before the call: up to the first register that never was there may be arguments, and beyond none.
 */
function callFunction(signature: string, first: number, state: AbstractState): AbstractValue {
  const [, name = '', count = '-1'] = /^(.*)\((-?\d+)\)$/.exec(signature) ?? [];
  const args: AbstractValue[] = [];
  for (let at = first; Number(count) < 0 ? state.registers.has(at) : at < first + Number(count); at += 1) {
    args.push(state.get(at));
  }
  return ofClasses(functionResult(name, args));
}

function convert({ opcode, p1, p2, p3, p4 }: Instruction, state: AbstractState): boolean {
  switch (opcode) {
    case 'AddImm':
      state.set(p1, ofClasses(INTEGER));
      return true;
    case 'MemMax':
      state.set(p1, ofClasses(INTEGER));
      return true;
    case 'RealAffinity': {
      const value = state.get(p1);
      const isInteger = (value.classes & INTEGER) !== 0;
      state.set(p1, { ...value, classes: isInteger ? (value.classes & ~INTEGER) | REAL : value.classes });
      return true;
    }
    case 'Cast': {
      const value = state.get(p1);
      const target = CAST[String.fromCharCode(p2)] ?? UNKNOWN.classes;
      state.set(p1, { classes: (target & ~NULL) | (value.classes & NULL), parameters: value.parameters });
      return true;
    }
    case 'Affinity':
      for (let index = 0; index < p2; index += 1) {
        state.set(p1 + index, withAffinity(state.get(p1 + index), String(p4)[index]));
      }
      return true;
    case 'TypeCheck':
      return true;
    case 'MakeRecord': {
      const fields = Array.from({ length: p2 }, (_, index) =>
        withAffinity(fieldValue(state.get(p1 + index)), typeof p4 === 'string' ? p4[index] : undefined),
      );
      state.set(p3, { classes: BLOB, record: fields, recordStart: p1 });
      return true;
    }
    case 'GetSubtype':
      state.set(p2, ofClasses(INTEGER | NULL));
      return true;
    case 'Offset':
      state.set(p3, ofClasses(INTEGER | NULL));
      return true;
    default:
      return false;
  }
}

/** What remains valid in a record: not the row that a value was read from, and not that it is one integer. */
function fieldValue({ classes, column, parameters }: AbstractValue): AbstractValue {
  return { classes, column, parameters };
}

function withAffinity(value: AbstractValue, letter: string | undefined): AbstractValue {
  const { classes } = value;
  if (letter === 'B' && (classes & NUMERIC) !== 0) return { ...value, classes: (classes & ~NUMERIC) | TEXT };
  const isNumeric = letter !== undefined && 'CDEF'.includes(letter);
  if (isNumeric && (classes & TEXT) !== 0) return { ...value, classes: classes | NUMERIC };
  return value;
}
