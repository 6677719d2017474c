import { Evaluator } from './evaluator.ts';
import {
  bare,
  child,
  isCall,
  isClass,
  isFunction,
  isMember,
  isSignature,
  keyOf,
  list,
  walk,
  type Node,
} from './node.ts';
import { readOpening } from './opening.ts';
import { isWaited, outside, placeOf, roleOf } from './places.ts';
import type { Project } from './project.ts';
import { isTransactionControl, pragmaFate } from './sql-names.ts';
import { literalOf } from './sql-text.ts';
import { CONNECTION_MEMBERS, STATEMENT_MEMBERS, type Value } from './value.ts';

/** Rounds after which nothing new is expected: each makes at least one function asynchronous. */
const MOST_ROUNDS = 10_000;

type Need = 'wait' | 'iterate' | { readonly reason: string } | undefined;

/** What is to be done, found out before anything is changed. */
export class Plan {
  readonly project: Project;
  readonly evaluator: Evaluator;
  /** Calls that are awaited from now on. */
  readonly awaited: Set<Node> = new Set();
  /** Functions, and signatures of functions, that give promises from now on. */
  readonly asynchronous: Set<Node> = new Set();
  /** Calls of `map` and `forEach` that become `Array.fromAsync`. */
  readonly sequences: Set<Node> = new Set();
  /** Loops that become `for await`. */
  readonly loops: Set<Node> = new Set();
  /** `new Database(…)` that becomes a pool, with its arguments. */
  readonly openings: Map<Node, string> = new Map();
  /** Calls of `pragma` that are not needed any more. */
  readonly dropped: Set<Node> = new Set();
  /** What stays as it is, and why. */
  readonly stuck: Map<Node, string> = new Map();
  /** Functions that were asynchronous before, and wait for what moves. */
  readonly #waiting = new Set<Node>();
  readonly #links = new Map<Node, Set<Node>>();
  readonly #newCount: number;

  constructor(project: Project) {
    this.project = project;
    this.evaluator = new Evaluator(project, (opening) => this.#reasonToStay(opening) === undefined);
    this.#newCount = project.modules.reduce((sum, { program }) => sum + this.#openingsIn(program), 0);
    for (let round = 0; this.#round(); round += 1) {
      if (round === MOST_ROUNDS) throw new Error('BUG: the plan does not come to an end');
    }
  }

  /** @returns whether anything was new */
  #round(): boolean {
    const before = this.#size();
    let isNew = false;
    for (const { program } of this.project.modules) {
      walk(program, (node) => {
        if (isCall(node) || node.type === 'NewExpression') {
          this.#consider(node);
          isNew = this.#pass(node) || isNew;
        } else {
          this.#relate(node);
        }
        return undefined;
      });
    }
    return isNew || this.#size() !== before;
  }

  #size(): number {
    return (
      this.awaited.size +
      this.asynchronous.size +
      this.stuck.size +
      this.#links.size +
      this.sequences.size +
      this.#waiting.size
    );
  }

  #consider(call: Node): void {
    const need = this.#needOf(call);
    if (need === undefined) this.#reconsider(call);
    else if (isWaited(call, this.project)) this.#noteWaiting(call);
    else if (typeof need === 'object') this.stuck.set(call, need.reason);
    else if (need === 'iterate') this.#iterate(call);
    else this.#wait(call);
  }

  /** A function that was asynchronous, and waits for what moves: an earlier run may have made it so. */
  #noteWaiting(call: Node): void {
    const place = placeOf(call, this.evaluator);
    if ('fn' in place && place.fn?.['async'] === true) this.#waiting.add(place.fn);
  }

  /** A call of such a function is its author's business, except where its promise is used as a value. */
  #reconsider(call: Node): void {
    const values = this.evaluator.valuesOf(child(call, 'callee')!);
    if (!values.some((value) => value.kind === 'function' && this.#waiting.has(value.node))) return;
    if (isWaited(call, this.project)) return this.#noteWaiting(call);
    const place = placeOf(call, this.evaluator);
    if ('reason' in place && place.isDeciding === true) this.stuck.set(call, place.reason);
  }

  #needOf(call: Node): Need {
    if (call.type === 'NewExpression') return this.#openingNeed(call);
    const callee = bare(child(call, 'callee')!);
    const values = this.evaluator.valuesOf(callee);
    this.#linkAll(values);
    if (values.some((value) => this.#isAsynchronous(value))) return 'wait';
    if (!isMember(callee)) return undefined;
    const objects = this.evaluator.valuesOf(child(callee, 'object')!);
    const name = keyOf(callee);
    if (objects.some(({ kind }) => kind === 'statement')) return memberNeed(STATEMENT_MEMBERS, name);
    if (objects.some(({ kind }) => kind === 'connection')) return this.#connectionNeed(call, name);
    const [callback] = list(call, 'arguments');
    const role = callback === undefined ? undefined : roleOf(callback, this.evaluator);
    if (role?.kind !== 'sequence' || !this.asynchronous.has(callback!)) return undefined;
    this.sequences.add(call);
    return 'wait';
  }

  #isAsynchronous(value: Value): boolean {
    if (value.kind === 'transaction') return true;
    return value.kind === 'function' && this.asynchronous.has(value.node);
  }

  #connectionNeed(call: Node, name: string | undefined): Need {
    const text = literalOf(this.evaluator, list(call, 'arguments')[0])?.text;
    if (name === 'exec' && text !== undefined && isTransactionControl(text))
      return { reason: 'a transaction of a pool is a function: db.transaction(async () => { … })' };
    if (name !== 'pragma') return memberNeed(CONNECTION_MEMBERS, name);
    const fate = text === undefined ? 'keep' : pragmaFate(text);
    const isAlone = this.project.parentOf(call)?.type === 'ExpressionStatement';
    if (fate === 'drop' && isAlone) {
      this.dropped.add(call);
      return undefined;
    }
    return fate === 'keep'
      ? 'wait'
      : { reason: 'a pragma for every connection is an option: docs/configuration.md' };
  }

  #openingNeed(node: Node): Need {
    const isOpener = this.evaluator.valuesOf(child(node, 'callee')!).some(({ kind }) => kind === 'opener');
    if (!isOpener) return undefined;
    const reason = this.#reasonToStay(node);
    if (reason !== undefined) return { reason: `this connection stays as it is: ${reason}` };
    const { text } = this.project.moduleOf(node);
    const opening = readOpening(node, text, this.#newCount === 1 && this.#isAtTop(node));
    if ('target' in opening) this.openings.set(node, opening.target);
    return 'wait';
  }

  #reasonToStay(node: Node): string | undefined {
    const opening = readOpening(node, this.project.moduleOf(node).text, true);
    if ('reason' in opening) return opening.reason;
    const place = placeOf(node, this.evaluator);
    return 'reason' in place ? place.reason : undefined;
  }

  #isAtTop(node: Node): boolean {
    const place = placeOf(node, this.evaluator);
    return 'fn' in place && place.fn === undefined;
  }

  #openingsIn(program: Node): number {
    let count = 0;
    walk(program, (node) => {
      if (node.type === 'NewExpression') {
        const values = this.evaluator.valuesOf(child(node, 'callee')!);
        if (values.some(({ kind }) => kind === 'opener')) count += 1;
      }
      return undefined;
    });
    return count;
  }

  #wait(call: Node): void {
    const place = placeOf(call, this.evaluator);
    const parent = this.project.parentOf(outside(call, this.project));
    if ('reason' in place) this.stuck.set(call, place.reason);
    // `a?.get().x` ends where `a` is nothing; `(await a?.get()).x` would not.
    else if (parent?.type === 'OptionalMemberExpression' && parent['optional'] === false)
      this.stuck.set(call, 'a chain with ?. goes on behind what must be waited for');
    else {
      this.awaited.add(call);
      if (place.fn !== undefined) this.#makeAsynchronous(place.fn);
    }
  }

  #iterate(call: Node): void {
    const loop = this.project.parentOf(outside(call, this.project));
    const isLooped = loop?.type === 'ForOfStatement' && child(loop, 'right') === outside(call, this.project);
    const place = placeOf(call, this.evaluator);
    if (!isLooped) this.stuck.set(call, 'rows one by one are for "for await" alone');
    else if ('reason' in place) this.stuck.set(call, place.reason);
    else {
      this.loops.add(loop);
      if (place.fn !== undefined) this.#makeAsynchronous(place.fn);
    }
  }

  #makeAsynchronous(fn: Node): void {
    if (this.asynchronous.has(fn)) return;
    if (fn['async'] !== true) this.asynchronous.add(fn);
    for (const linked of this.#links.get(fn) ?? []) this.#makeLinked(linked);
  }

  #makeLinked(fn: Node): void {
    if (isSignature(fn) || fn['kind'] === undefined || fn['kind'] === 'method') this.#makeAsynchronous(fn);
  }

  /** What a call passes is what the function gets. */
  #pass(call: Node): boolean {
    let isNew = false;
    for (const value of this.evaluator.valuesOf(child(call, 'callee')!)) {
      const fn = this.#calledBy(value);
      if (fn === undefined) continue;
      list(call, 'arguments').every((argument, index) => {
        if (argument.type === 'SpreadElement') return false;
        isNew = this.evaluator.pass(fn, index, this.evaluator.valuesOf(argument)) || isNew;
        return true;
      });
    }
    return isNew;
  }

  #calledBy(value: Value): Node | undefined {
    if (value.kind === 'function') return value.node;
    if (value.kind !== 'class') return undefined;
    return list(child(value.node, 'body')!, 'body').find((member) => member['kind'] === 'constructor');
  }

  /** What a declared type says of functions holds for all that are declared with it. */
  #relate(node: Node): void {
    if (isClass(node)) this.#relateClass(node);
    const written =
      node.type === 'VariableDeclarator'
        ? child(child(node, 'id')!, 'typeAnnotation')
        : child(node, 'returnType');
    const type = written === undefined ? undefined : child(written, 'typeAnnotation');
    if (type === undefined || !(node.type === 'VariableDeclarator' || isFunction(node))) return;
    const init = child(node, 'init');
    const values = init === undefined ? this.evaluator.returned(node) : this.evaluator.valuesOf(init);
    this.#conform(values, this.evaluator.typeValues(type));
  }

  #relateClass(node: Node): void {
    const self: Value = { kind: 'instance', node };
    for (const implemented of list(node, 'implements')) {
      const id = child(implemented, 'expression')!;
      const reference = { type: 'TSTypeReference', start: id.start, end: id.end, typeName: id };
      this.#conform([self], this.evaluator.typeValues(reference));
    }
    const parent = child(node, 'superClass');
    if (parent === undefined) return;
    for (const { kind, node: base } of this.evaluator.valuesOf(parent).filter((value) => 'node' in value))
      if (kind === 'class') this.#conformMembers(self, { kind: 'instance', node: base });
  }

  #conform(values: readonly Value[], types: readonly Value[]): void {
    this.#linkAll([...values, ...types]);
    for (const type of types) {
      if (type.kind !== 'signatures') continue;
      for (const value of values)
        if (value.kind === 'object' || value.kind === 'instance') this.#conformMembers(value, type);
    }
  }

  #conformMembers(value: Value, type: Value): void {
    if (!('node' in type)) return;
    const body = child(type.node, 'body');
    const members = body === undefined ? list(type.node, 'members') : list(body, 'body');
    for (const member of members) {
      const name = keyOf(member);
      if (name === undefined || name === 'constructor') continue;
      this.#linkAll([
        ...this.evaluator.memberValues([value], name),
        ...this.evaluator.memberValues([type], name),
      ]);
    }
  }

  /** Where one of these is asynchronous, all are: what they are called through is the same. */
  #linkAll(values: readonly Value[]): void {
    const fns = values.flatMap((value) => (value.kind === 'function' ? [value.node] : []));
    // A function of transaction() gives a promise, whatever it does.
    if (values.some(({ kind }) => kind === 'transaction'))
      for (const fn of fns.filter(isSignature)) this.#makeAsynchronous(fn);
    if (fns.length < 2 || !fns.some((fn) => isSignature(fn) || fn.type === 'ClassMethod')) return;
    for (const fn of fns) {
      let links = this.#links.get(fn);
      if (links === undefined) this.#links.set(fn, (links = new Set()));
      for (const other of fns) if (other !== fn) links.add(other);
    }
    if (fns.some((fn) => this.asynchronous.has(fn))) for (const fn of fns) this.#makeLinked(fn);
  }
}

function memberNeed<Fate extends string>(
  members: Readonly<Record<string, Fate>>,
  name: string | undefined,
): Exclude<Fate, 'keep'> | { readonly reason: string } | undefined {
  if (name === undefined || !Object.hasOwn(members, name))
    return { reason: `${name ?? 'what is called here'}() is not there in a pool` };
  const fate = members[name]!;
  return fate === 'keep' ? undefined : (fate as Exclude<Fate, 'keep'>);
}
