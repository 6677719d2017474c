import type { Dialect } from '../sql/index.ts';
import type { Faults } from './migration-faults.ts';
import type { MigrationProgram, MigrationStatement } from './migration.ts';
import { splitStatements, type TextPart } from './split-statements.ts';

/** A comment line of this form, before the first statement, is an instruction. */
const INSTRUCTION = /^[ \t]*--[ \t]*millpond:[ \t]*(.*?)[ \t]*$/gim;
const NO_TRANSACTION = 'no-transaction';

/** Words that begin or end transactions, which are the runner's. */
const TRANSACTION_WORDS: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: ['begin', 'commit', 'end', 'rollback', 'savepoint', 'release'],
  postgres: ['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release', 'prepare'],
};

interface Source {
  readonly file: string;
  readonly text: string;
  readonly dialect: Dialect;
}

/** Reads one file's text. Faults are added with their place; then the result must not be used. */
export function readProgram(source: Source, faults: Faults): MigrationProgram {
  const { file, text, dialect } = source;
  const { statements: parts, unclosed } = splitStatements(text, dialect);
  if (unclosed !== undefined) {
    faults.add('syntax', `a ${unclosed.what} begins here and never ends`, {
      file,
      ...placeOf(text, unclosed.start),
    });
  }
  const statements: MigrationStatement[] = [];
  let withoutForeignKeys = false;
  for (const part of parts) {
    const setting = dialect === 'sqlite' ? foreignKeysSetting(part) : undefined;
    withoutForeignKeys ||= setting === 'off';
    if (setting !== undefined) continue;
    refuseTransactionControl(part, source, faults);
    statements.push({ text: part.text, ...placeOf(text, part.start) });
  }
  if (statements.length === 0 && unclosed === undefined)
    faults.add('empty', 'there is no statement in it', { file });
  const inTransaction = !readInstructions(source, parts[0]?.start ?? text.length, faults);
  if (withoutForeignKeys && !inTransaction) {
    faults.add(
      'syntax',
      `"pragma foreign_keys" and "${NO_TRANSACTION}" exclude each other: only a transaction can be ` +
        `undone when a key is broken`,
      { file },
    );
  }
  return { file, statements, inTransaction, withoutForeignKeys };
}

/** @returns whether the file says that it cannot run in a transaction */
function readInstructions({ file, text }: Source, end: number, faults: Faults): boolean {
  let found = false;
  for (const match of text.matchAll(INSTRUCTION)) {
    const place = { file, ...placeOf(text, match.index) };
    const instruction = match[1]!.toLowerCase();
    if (instruction !== NO_TRANSACTION) {
      faults.add(
        'syntax',
        `there is no instruction "${match[1]!.slice(0, 60)}"; there is ${NO_TRANSACTION}`,
        place,
      );
    } else if (match.index > end) {
      faults.add(
        'syntax',
        `"${NO_TRANSACTION}" stands before the first statement: it is about the whole file`,
        place,
      );
    } else {
      found = true;
    }
  }
  return found;
}

/**
 * `pragma foreign_keys = off`, the first step of a table's rebuild, does nothing inside a transaction, and on
 * one connection of a pool it would stay: https://sqlite.org/lang_altertable.html#otheralter The runner does
 * it instead, in the prescribed way.
 */
function foreignKeysSetting({ words }: TextPart): 'on' | 'off' | undefined {
  const [pragma, name, sign, value] = words;
  if (pragma !== 'pragma' || name !== 'foreign_keys' || (sign !== '=' && sign !== '(')) return undefined;
  return ['off', '0', 'false', 'no'].includes(value ?? '') ? 'off' : 'on';
}

function refuseTransactionControl(
  { words, start }: TextPart,
  { file, text, dialect }: Source,
  faults: Faults,
): void {
  const [first = '', second] = words;
  if (!TRANSACTION_WORDS[dialect].includes(first)) return;
  // PREPARE TRANSACTION ends one; PREPARE name AS … does not.
  if (first === 'prepare' && second !== 'transaction') return;
  faults.add(
    'syntax',
    `${first.toUpperCase()} cannot stand in a migration: each runs in a transaction of its own, with its ` +
      `line of the ` +
      `history. For statements that cannot, begin the file with "-- millpond: ${NO_TRANSACTION}"`,
    { file, ...placeOf(text, start) },
  );
}

function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: index - lineStart + 1 };
}
