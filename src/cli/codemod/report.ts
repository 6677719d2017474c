import { bare, child, isCall, isFunction, isMember, keyOf, list, textOf, walk, type Node } from './node.ts';
import { isWaited, roleOf } from './places.ts';
import type { Plan } from './plan.ts';
import type { Value } from './value.ts';

/** One place that a person has to see. */
export interface CodemodNote {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface CodemodNotes {
  /** What was left as it is and does not work that way: it has to be done by hand. */
  readonly byHand: readonly CodemodNote[];
  /** What was changed, and may mean something else to code outside of these files. */
  readonly look: readonly CodemodNote[];
}

/** Methods that arrays, maps and strings have too: their names say little. */
const COMMON = new Set(
  [Array, Map, Set, String, Promise, Date, Function].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype as object),
  ),
);

/** Kinds whose methods are known: what they take is taken care of. */
const OURS: ReadonlySet<Value['kind']> = new Set(['connection', 'statement', 'transaction', 'instance']);

/** Lists what the plan leaves to people, in the order of the files. */
export function notesOf(plan: Plan): CodemodNotes {
  const byHand = new Map<Node, string>(plan.stuck);
  const look = new Map<Node, string>();
  const names = namesOf(plan);
  for (const { program } of plan.project.modules) {
    walk(program, (node) => {
      if (plan.asynchronous.has(node) && isFunction(node)) noteCallback(plan, node, look);
      if (isCall(node)) noteCall(plan, node, { byHand, look, names });
      return undefined;
    });
  }
  return { byHand: sorted(plan, byHand), look: sorted(plan, look) };
}

function noteCallback(plan: Plan, fn: Node, look: Map<Node, string>): void {
  if (roleOf(fn, plan.evaluator).kind === 'unknown')
    look.set(fn, 'this function gives a promise now: does who calls it wait, and see when it rejects?');
}

interface Notes {
  readonly byHand: Map<Node, string>;
  readonly look: Map<Node, string>;
  readonly names: ReadonlySet<string>;
}

function noteCall(plan: Plan, call: Node, { byHand, look, names }: Notes): void {
  const { evaluator } = plan;
  const callee = bare(child(call, 'callee')!);
  const values = evaluator.valuesOf(callee);
  for (const argument of list(call, 'arguments')) {
    if (isFunction(argument)) continue;
    const given = evaluator.valuesOf(argument);
    if (given.some((value) => isAsynchronous(plan, value))) noteReference(plan, argument, { byHand, look });
    const isMoved = given.some(({ kind }) => kind === 'connection' || kind === 'statement');
    if (isMoved && values.length === 0 && !isOnMoved(plan, callee))
      byHand.set(
        argument,
        'what is called here is not in these files, and gets a connection that is waited for',
      );
  }
  if (values.length > 0 || !isMember(callee) || isWaited(call, plan.project)) return;
  const name = keyOf(callee) ?? '';
  const objects = evaluator.valuesOf(child(callee, 'object')!);
  if (name === 'prepare' && objects.length === 0 && !isWaited(endOfChain(plan, call), plan.project))
    byHand.set(call, 'if this is a connection, say so where its name is declared: it is not known here');
  if (!names.has(name) || objects.length > 0 || isGlobal(plan, child(callee, 'object')!)) return;
  const message = `${name}() gives a promise in these files: if this is that one, it is to be awaited`;
  if (COMMON.has(name)) look.set(call, message);
  else byHand.set(call, message);
}

function noteReference(plan: Plan, reference: Node, { byHand, look }: Pick<Notes, 'byHand' | 'look'>): void {
  const { kind, ...role } = roleOf(reference, plan.evaluator);
  if (kind === 'stuck' && 'reason' in role) byHand.set(reference, role.reason);
  else if (kind === 'unknown')
    look.set(
      reference,
      'this function gives a promise now: does who calls it wait, and see when it rejects?',
    );
}

function isAsynchronous(plan: Plan, value: Value): boolean {
  return value.kind === 'transaction' || (value.kind === 'function' && plan.asynchronous.has(value.node));
}

function isOnMoved(plan: Plan, callee: Node): boolean {
  if (!isMember(callee)) return false;
  return plan.evaluator.valuesOf(child(callee, 'object')!).some(({ kind }) => OURS.has(kind));
}

/** `x.prepare(…).pluck().get()`, of its first call. */
function endOfChain(plan: Plan, call: Node): Node {
  const member = plan.project.parentOf(call);
  const outer = member === undefined ? undefined : plan.project.parentOf(member);
  const goesOn = member !== undefined && outer !== undefined && isMember(member) && isCall(outer);
  return goesOn ? endOfChain(plan, outer) : call;
}

/** `JSON`, `Object`, `console`: what is not declared in the file. */
function isGlobal(plan: Plan, object: Node): boolean {
  return object.type === 'Identifier' && plan.evaluator.bindingOf(object) === undefined;
}

/** Names under which functions that became asynchronous are called as methods. */
function namesOf(plan: Plan): ReadonlySet<string> {
  const names = new Set<string>();
  for (const fn of plan.asynchronous) {
    const parent = plan.project.parentOf(fn);
    const holder = parent?.type === 'ObjectProperty' || parent?.type === 'ClassProperty' ? parent : fn;
    const id = child(fn, 'id');
    const name = keyOf(holder) ?? (id === undefined ? undefined : textOf(id, 'name'));
    if (name !== undefined) names.add(name);
  }
  return names;
}

function sorted(plan: Plan, notes: ReadonlyMap<Node, string>): CodemodNote[] {
  return [...notes]
    .map(([node, message]) => {
      const { path, text } = plan.project.moduleOf(node);
      const before = text.slice(0, node.start).split('\n');
      return { file: path, line: before.length, column: before.at(-1)!.length + 1, message };
    })
    .sort(
      (one, other) =>
        (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
        one.line - other.line ||
        one.column - other.column,
    );
}
