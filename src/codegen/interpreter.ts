import { AbstractState } from './abstract-state.ts';
import { joinRecords, type AbstractValue } from './abstract-value.ts';
import type { Instruction } from './instructions.ts';
import { givingAddresses } from './giving-addresses.ts';
import { allControl, liveAddresses } from './live-control.ts';
import type { StoredTree } from './sqlite-schema.ts';
import { ParameterEvidence } from './parameter-evidence.ts';
import { TemporaryContents, UnknownInstruction, type ProgramView } from './program-view.ts';
import { stepInstruction } from './step-instruction.ts';

/**
 * Most states kept apart at one instruction; beyond that they are merged, which is less exact but still true.
 */
const MOST_STATES = 32;
/** Steps after which states are no longer told apart by their flags. */
const STEPS_OF_ALL = 5_000;
/** Steps after which a program is given up: then nothing is known about it. */
const STEPS_OF_FEW = 20_000;

class TooManySteps extends UnknownInstruction {}

/** What the interpretation of a program found. */
export interface ProgramFacts {
  /** What each column may hold; undefined where no row is ever given. */
  readonly columns: readonly AbstractValue[] | undefined;
  readonly mayGiveSeveral: boolean;
  readonly alwaysGivesOne: boolean;
  readonly evidence: ParameterEvidence;
}

/**
 * Runs a program on sets of values instead of values: along every path that it can take, until nothing new is
 * found. What it then says of a column holds for every row of every database with this schema, as long as
 * columns hold values of their declared types.
 * @throws UnknownInstruction
 */
export function interpret(
  program: readonly Instruction[],
  trees: ReadonlyMap<number, StoredTree>,
): ProgramFacts {
  try {
    return interpretWith({ program, trees, control: allControl(program), mostSteps: STEPS_OF_ALL });
  } catch (error) {
    if (!(error instanceof TooManySteps)) throw error;
    return interpretWith({ program, trees, control: liveAddresses(program), mostSteps: STEPS_OF_FEW });
  }
}

interface Setting {
  readonly program: readonly Instruction[];
  readonly trees: ReadonlyMap<number, StoredTree>;
  /** For each instruction, the registers whose integers are kept apart. */
  readonly control: readonly (readonly number[])[];
  readonly mostSteps: number;
}

function interpretWith(setting: Setting): ProgramFacts {
  const contents = new TemporaryContents();
  for (;;) {
    contents.changed = false;
    const run = new Run(setting, contents);
    run.explore();
    // What a temporary table holds is known when all its writers were seen.
    if (!contents.changed) return run.facts();
  }
}

interface Node {
  readonly pc: number;
  readonly state: AbstractState;
  readonly next: Set<Node>;
  endsWell: boolean;
  isQueued: boolean;
}

class Run implements ProgramView {
  readonly program: readonly Instruction[];
  readonly trees: ReadonlyMap<number, StoredTree>;
  readonly contents: TemporaryContents;
  readonly evidence: ParameterEvidence = new ParameterEvidence();
  readonly #nodes = new Map<number, Map<string, Node>>();
  readonly #queue: Node[] = [];
  /** For each instruction, the registers whose integers decide where the program goes from there. */
  readonly #control: readonly (readonly number[])[];
  readonly #mostSteps: number;
  #columns: readonly AbstractValue[] | undefined;
  #start: Node | undefined;

  constructor({ program, trees, control, mostSteps }: Setting, contents: TemporaryContents) {
    this.program = program;
    this.trees = trees;
    this.contents = contents;
    this.#control = control;
    this.#mostSteps = mostSteps;
  }

  giveRow(values: readonly AbstractValue[]): void {
    this.#columns = this.#columns === undefined ? values : joinRecords(this.#columns, values);
  }

  explore(): void {
    this.#start = this.#arrive(0, new AbstractState());
    for (let steps = 0; this.#queue.length > 0; steps += 1) {
      if (steps > this.#mostSteps) throw new TooManySteps('too many steps');
      const node = this.#queue.pop()!;
      node.isQueued = false;
      node.next.clear();
      for (const { to, state } of stepInstruction(node.pc, node.state, this)) {
        if (to === 'end') node.endsWell = true;
        else if (to !== 'error') node.next.add(this.#arrive(to, state));
      }
    }
  }

  facts(): ProgramFacts {
    const giving = givingAddresses(this.program);
    const rows = [...this.#nodes.values()]
      .flatMap((states) => [...states.values()])
      .filter(({ pc }) => giving.has(pc));
    const isRow = new Set(rows);
    const mayGiveSeveral = rows.some((row) => reaches([...row.next], (node) => isRow.has(node)));
    const start = this.#start!;
    const alwaysGivesOne =
      !isRow.has(start) &&
      !reaches(
        [start],
        (node) => node.endsWell,
        (node) => isRow.has(node),
      );
    return { columns: this.#columns, mayGiveSeveral, alwaysGivesOne, evidence: this.evidence };
  }

  #arrive(pc: number, state: AbstractState): Node {
    let states = this.#nodes.get(pc);
    if (states === undefined) this.#nodes.set(pc, (states = new Map<string, Node>()));
    const key = states.size >= MOST_STATES ? 'mixed' : state.key(this.#control[pc] ?? []);
    let node = states.get(key);
    if (node === undefined && states.size >= MOST_STATES) node = states.get('mixed');
    if (node === undefined) {
      node = { pc, state: state.copy(), next: new Set(), endsWell: false, isQueued: false };
      states.set(key, node);
      this.#enqueue(node);
    } else if (node.state.absorb(state)) {
      this.#enqueue(node);
    }
    return node;
  }

  #enqueue(node: Node): void {
    if (node.isQueued) return;
    node.isQueued = true;
    this.#queue.push(node);
  }
}

/** True when a way from one of `from` leads to a node that `isGoal`, through none that `isWall`. */
function reaches(
  from: readonly Node[],
  isGoal: (node: Node) => boolean,
  isWall: (node: Node) => boolean = () => false,
): boolean {
  const seen = new Set(from);
  const open = [...from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isWall(node)) continue;
    if (isGoal(node)) return true;
    for (const next of node.next) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
