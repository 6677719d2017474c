import type { AbstractState } from './abstract-state.ts';
import { INTEGER, NULL, ofClasses } from './abstract-value.ts';
import type { Instruction } from './instructions.ts';
import { aggregateResult, aggregateStep } from './sqlite-functions.ts';

/** Instructions of aggregates, and of functions over windows. @returns false for another one */
export function aggregate(op: Instruction, state: AbstractState, program: readonly Instruction[]): boolean {
  const { opcode, p1, p2, p3, p4, p5 } = op;
  const name = String(p4).replace(/\(.*$/, '');
  switch (opcode) {
    case 'AggStep':
    case 'AggStep1': {
      const before = state.get(p3).classes;
      const args = Array.from({ length: p5 }, (_, index) => state.get(p2 + index));
      state.set(p3, ofClasses(aggregateStep(name, before, args)));
      noteSkipFlag(before, program[op.addr - 1], state);
      return true;
    }
    case 'AggInverse':
      state.set(p3, ofClasses(state.get(p3).classes | NULL));
      return true;
    case 'AggValue':
      state.set(p3, ofClasses(aggregateResult(name, state.get(p1).classes)));
      return true;
    case 'AggFinal':
      state.set(p1, ofClasses(aggregateResult(name, state.get(p1).classes)));
      return true;
    default:
      return false;
  }
}

/** min() and max() set the register of the CollSeq before them when the row is not the best one so far. */
function noteSkipFlag(before: number, previous: Instruction | undefined, state: AbstractState): void {
  if (previous?.opcode !== 'CollSeq' || previous.p1 === 0 || before === NULL) return;
  state.set(previous.p1, ofClasses(INTEGER));
}
