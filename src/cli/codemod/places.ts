import type { Evaluator } from './evaluator.ts';
import { bare, child, isCall, isFunction, isMember, keyOf, list, textOf, type Node } from './node.ts';
import type { Project } from './project.ts';

/** Where an `await` would stand: in a function that is or becomes asynchronous, or outside of all. */
export type Place = { readonly fn: Node | undefined } | Obstacle;

interface Obstacle {
  readonly reason: string;
  /** Whether the function's result is used at once, so that a promise would be the wrong value. */
  readonly isDeciding?: boolean;
}

const FIELDS = new Set(['ClassProperty', 'ClassPrivateProperty', 'ClassAccessorProperty']);
/** What they give decides at once; a promise would count as true, or be the wrong value. */
const DECIDING = new Set([
  ...['filter', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex', 'reduce', 'reduceRight'],
  ...['flatMap', 'sort', 'toSorted', 'map', 'forEach', 'replace', 'replaceAll', 'from', 'group', 'groupBy'],
]);
const ASSERTING = new Set(['expect', 'throws', 'doesNotThrow', 'describe', 'suite', 'stringify', 'parse']);
const OF_PROMISES = new Set(['then', 'catch', 'finally']);

/** Looks for the place; says why there is none. */
export function placeOf(node: Node, evaluator: Evaluator): Place {
  const { project } = evaluator;
  let inner = node;
  for (let outer = project.parentOf(node); outer !== undefined; outer = project.parentOf(outer)) {
    if (isFunction(outer) && inner !== child(outer, 'key')) {
      if (inner !== child(outer, 'body')) return { reason: "a parameter's default cannot wait" };
      return whyNotAsync(outer, evaluator) ?? { fn: outer };
    }
    if (FIELDS.has(outer.type) && inner === child(outer, 'value'))
      return { reason: 'a field of a class cannot wait' };
    if (outer.type === 'StaticBlock') return { reason: 'a static block cannot wait' };
    inner = outer;
  }
  if (project.moduleOf(node).isEsm) return { fn: undefined };
  return { reason: 'a CommonJS module cannot wait outside of functions' };
}

function whyNotAsync(fn: Node, evaluator: Evaluator): Obstacle | undefined {
  if (fn['generator'] === true) return { reason: 'a generator cannot wait' };
  if (fn['async'] === true) return undefined;
  const kind = fn['kind'];
  if (kind === 'constructor') return { reason: 'a constructor cannot wait' };
  if (kind === 'get' || kind === 'set') return { reason: `a ${kind}ter cannot wait`, isDeciding: true };
  const returned = child(fn, 'returnType');
  if (returned !== undefined && child(returned, 'typeAnnotation')?.type === 'TSTypePredicate')
    return { reason: 'a type predicate cannot wait', isDeciding: true };
  const role = roleOf(fn, evaluator);
  return role.kind === 'stuck' ? role : undefined;
}

/**
 * What a function is that is passed to a call: `known` where the callee is followed, `sequence` where the
 * call becomes `Array.fromAsync`, `unknown` where somebody else calls it.
 */
export type Role =
  | { readonly kind: 'none' | 'known' | 'unknown' }
  | { readonly kind: 'sequence'; readonly call: Node }
  | ({ readonly kind: 'stuck' } & Obstacle);

export function roleOf(fn: Node, evaluator: Evaluator): Role {
  const { project } = evaluator;
  let outer = project.parentOf(fn);
  if (outer?.type === 'ObjectProperty') outer = project.parentOf(outer);
  const isInObject = outer?.type === 'ObjectExpression';
  const argument = isInObject ? outer! : fn;
  const call = project.parentOf(argument);
  if (call === undefined || !(isCall(call) || call.type === 'NewExpression')) return { kind: 'none' };
  if (child(call, 'callee') === argument) return { kind: 'none' };
  const callee = bare(child(call, 'callee')!);
  if (evaluator.valuesOf(callee).length > 0) return { kind: 'known' };
  if (isInObject) return { kind: 'unknown' };
  if (!isMember(callee)) return roleByName(textOf(callee, 'name'), call);
  const name = keyOf(callee);
  const objects = evaluator.valuesOf(child(callee, 'object')!);
  if (objects.some(({ kind }) => kind === 'connection') || OF_PROMISES.has(name ?? ''))
    return { kind: 'known' };
  if (isSequence(call, fn) && objects.some(({ kind }) => kind === 'array')) return { kind: 'sequence', call };
  return roleByName(name, call);
}

function roleByName(name: string | undefined, call: Node): Role {
  if (call.type === 'NewExpression' && name === 'Promise')
    return { kind: 'stuck', reason: 'what makes a promise cannot wait: its faults would be lost' };
  if (name !== undefined && DECIDING.has(name)) {
    const reason = `${name}() does not wait for its callback: write a loop`;
    // What `map` gives may be promises on purpose.
    return { kind: 'stuck', reason, isDeciding: !['map', 'forEach', 'flatMap', 'from'].includes(name) };
  }
  if (name !== undefined && ASSERTING.has(name))
    return { kind: 'stuck', reason: `${name}() does not wait for its callback` };
  return { kind: 'unknown' };
}

/** `array.map(callback)` or `array.forEach(callback)`, as `Array.fromAsync(array, callback)` does it. */
function isSequence(call: Node, fn: Node): boolean {
  const name = keyOf(child(call, 'callee')!);
  return (
    call.type === 'CallExpression' &&
    (name === 'map' || name === 'forEach') &&
    isFunction(fn) &&
    list(call, 'arguments').length === 1 &&
    list(fn, 'params').length <= 2 &&
    child(call, 'typeParameters') === undefined
  );
}

/** True where somebody takes care of the promise already. */
export function isWaited(node: Node, project: Project): boolean {
  const outer = outside(node, project);
  const parent = project.parentOf(outer);
  if (parent === undefined) return false;
  if (parent.type === 'AwaitExpression') return true;
  if (parent.type === 'UnaryExpression') return parent['operator'] === 'void';
  if (parent.type === 'ForOfStatement') return parent['await'] === true && child(parent, 'right') === outer;
  if (isMember(parent)) return OF_PROMISES.has(keyOf(parent) ?? '');
  if (isCall(parent)) return isOfPromise(parent);
  const around = project.parentOf(parent);
  if (around === undefined) return false;
  if (parent.type === 'ArrayExpression') return isOfPromise(around);
  // Promise.all(ids.map((id) => find(id)))
  if (parent.type !== 'ArrowFunctionExpression' || !isCall(around)) return false;
  const whole = project.parentOf(around);
  return whole !== undefined && isOfPromise(whole);
}

function isOfPromise(call: Node): boolean {
  if (!isCall(call)) return false;
  const callee = child(call, 'callee')!;
  return isMember(callee) && textOf(child(callee, 'object')!, 'name') === 'Promise';
}

/** The outermost node that is this expression, with claims about its type. */
export function outside(node: Node, project: Project): Node {
  const parent = project.parentOf(node);
  return parent !== undefined && bare(parent) !== parent && bare(parent) === bare(node)
    ? outside(parent, project)
    : node;
}
