import type { AbstractState } from './abstract-state.ts';
import { isEqualRecord, joinRecords, type AbstractValue } from './abstract-value.ts';
import type { Instruction } from './instructions.ts';
import type { ParameterEvidence } from './parameter-evidence.ts';
import type { StoredTree } from './sqlite-schema.ts';

/** A program with unknown instructions: nothing may be concluded from it. */
export class UnknownInstruction extends Error {}

/** Contents of temporary tables, which outlive the cursors' moves. */
export class TemporaryContents {
  readonly #records = new Map<number, readonly AbstractValue[] | 'unknown'>();
  changed = false;

  add(table: number, record: readonly AbstractValue[] | undefined): void {
    const known = this.#records.get(table);
    if (known === 'unknown') return;
    const joined = known === undefined ? record : joinRecords(known, record);
    if (joined !== undefined && known !== undefined && isEqualRecord(known, joined)) return;
    this.#records.set(table, joined ?? 'unknown');
    this.changed = true;
  }

  /** The fields of any record; undefined where they are not known, empty where there are none. */
  get(table: number): readonly AbstractValue[] | undefined {
    const known = this.#records.get(table);
    return known === 'unknown' ? undefined : (known ?? []);
  }
}

/** What an instruction leads to: an instruction, or the end. */
export interface Way {
  readonly to: number | 'end' | 'error';
  readonly state: AbstractState;
}

/** What instructions see of the whole program. */
export interface ProgramView {
  readonly program: readonly Instruction[];
  readonly trees: ReadonlyMap<number, StoredTree>;
  readonly contents: TemporaryContents;
  readonly evidence: ParameterEvidence;
  giveRow(values: readonly AbstractValue[]): void;
}
