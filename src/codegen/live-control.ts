import {
  BRANCHES,
  COMPARISONS,
  CONTROLLED,
  LOOPS,
  MOVES_OR_JUMPS,
  type Instruction,
} from './instructions.ts';

const NO_WAY_ON: ReadonlySet<string> = new Set(['Goto', 'Init', 'Halt', 'Gosub', 'Jump']);
const ADDRESSED: ReadonlySet<string> = new Set(['Return', 'Yield', 'EndCoroutine']);
const JUMPS: ReadonlySet<string> = new Set([
  ...BRANCHES,
  ...COMPARISONS,
  ...LOOPS,
  ...MOVES_OR_JUMPS,
  ...CONTROLLED,
  ...[
    'Init',
    'Goto',
    'IsNull',
    'NotNull',
    'MustBeInt',
    'RowSetRead',
    'RowSetTest',
    'SeekScan',
    'IfNullRow',
    'Once',
  ],
]);

/**
 * The registers whose integers decide where a program goes, for each instruction. States that differ in them
 * are kept apart, which tells the first row of a group from the others.
 */
export function allControl(program: readonly Instruction[]): readonly (readonly number[])[] {
  const tested = program.filter(({ opcode }) => CONTROLLED.has(opcode)).map(({ p1 }) => p1);
  const all = [...new Set([...tested, ...onceMemories(program)])];
  return program.map(() => all);
}

/**
 * Only the return addresses among them that are read again before they are written: for long programs, about
 * which a little less is known then.
 */
export function liveAddresses(program: readonly Instruction[]): readonly (readonly number[])[] {
  const control = new Set(program.filter(({ opcode }) => ADDRESSED.has(opcode)).map(({ p1 }) => p1));
  const next = program.map((op) => successors(op, program));
  const live = program.map(() => new Set<number>());
  for (let changed = true; changed;) {
    changed = false;
    for (let pc = program.length - 1; pc >= 0; pc -= 1) {
      const here = live[pc]!;
      const before = here.size;
      const op = program[pc]!;
      if (CONTROLLED.has(op.opcode) && op.opcode !== 'Gosub' && op.opcode !== 'InitCoroutine')
        here.add(op.p1);
      for (const to of next[pc]!) {
        for (const register of live[to] ?? []) if (!writes(op, register)) here.add(register);
      }
      changed ||= here.size > before;
    }
  }
  return live.map((registers) => [...registers].filter((register) => control.has(register)));
}

/** Registers that no program uses, which remember for each Once whether it was passed. */
function onceMemories(program: readonly Instruction[]): number[] {
  return program.filter(({ opcode }) => opcode === 'Once').map(({ addr }) => -1 - addr);
}

function successors({ addr, opcode, p1, p2, p3 }: Instruction, program: readonly Instruction[]): number[] {
  const found = NO_WAY_ON.has(opcode) ? [] : [addr + 1];
  if (opcode === 'Jump') found.push(p1, p3);
  if (JUMPS.has(opcode) || opcode === 'Jump') found.push(p2);
  if (opcode === 'Return' || opcode === 'Yield' || opcode === 'EndCoroutine') {
    const callers = opcode === 'Return' ? 'Gosub' : 'Yield';
    for (const other of program) {
      if (other.opcode === callers && other.p1 === p1) found.push(other.addr + 1, other.p2);
      if (other.opcode === 'InitCoroutine' && other.p1 === p1) found.push(other.p3);
      if (other.opcode === 'Integer' && other.p2 === p1) found.push(other.p1 + 1);
    }
  }
  return found;
}

function writes({ opcode, p1, p2, p3 }: Instruction, register: number): boolean {
  switch (opcode) {
    case 'Integer':
    case 'BeginSubrtn':
    case 'SCopy':
      return p2 === register;
    case 'Gosub':
    case 'InitCoroutine':
      return p1 === register;
    case 'Null':
      return register >= p2 && register <= Math.max(p2, p3);
    default:
      return false;
  }
}
