import { Edits } from './edits.ts';
import { bare, child, isCall, isFunction, isMember, keyOf, list, textOf, walk, type Node } from './node.ts';
import type { Plan } from './plan.ts';
import type { Module } from './project.ts';
import { foreignNames } from './sql-names.ts';
import { literalOf } from './sql-text.ts';
import { TypeNames } from './type-names.ts';

/** Parents in which `await x` needs no brackets around it; everywhere else it has them. */
const LOOSE = new Set([
  ...[
    'ExpressionStatement',
    'VariableDeclarator',
    'ReturnStatement',
    'AssignmentExpression',
    'ArrowFunctionExpression',
  ],
  ...[
    'IfStatement',
    'WhileStatement',
    'DoWhileStatement',
    'ForStatement',
    'ForOfStatement',
    'SwitchStatement',
  ],
  ...[
    'ThrowStatement',
    'ObjectProperty',
    'ArrayExpression',
    'SpreadElement',
    'TemplateLiteral',
    'SwitchCase',
  ],
  ...[
    'ConditionalExpression',
    'LogicalExpression',
    'TSAsExpression',
    'TSSatisfiesExpression',
    'UnaryExpression',
  ],
  ...[
    'SequenceExpression',
    'AwaitExpression',
    'ExportDefaultDeclaration',
    'ForInStatement',
    'YieldExpression',
  ],
]);

/** Where `@name` is in a statement of another file, which is changed there. */
export type SignsByModule = ReadonlyMap<Module, ReadonlySet<number>>;

/** One file with the plan carried out. What it does not touch stays as it was written. */
export function rewriteModule(plan: Plan, module: Module, signs: SignsByModule): string {
  return new Rewrite(plan, module).run(signs.get(module) ?? new Set());
}

class Rewrite {
  readonly #plan: Plan;
  readonly #module: Module;
  readonly #edits = new Edits();
  readonly #types: TypeNames;

  constructor(plan: Plan, module: Module) {
    this.#plan = plan;
    this.#module = module;
    this.#types = new TypeNames(plan, module, this.#edits);
  }

  run(signs: ReadonlySet<number>): string {
    const { program, text } = this.#module;
    walk(program, (node) => this.#node(node));
    for (const at of signs) this.#edits.replace(at, at + 1, ':');
    this.#types.writeImports();
    return this.#edits.apply(text);
  }

  #node(node: Node): false | undefined {
    const { awaited, asynchronous, loops, sequences, dropped } = this.#plan;
    if (dropped.has(node)) {
      this.#drop(node);
      return false;
    }
    if (awaited.has(node)) this.#await(node);
    if (sequences.has(node)) this.#sequence(node);
    if (asynchronous.has(node)) this.#asynchronous(node);
    if (loops.has(node)) this.#edits.after(node.start + 'for'.length, ' await');
    this.#types.visit(node);
    return undefined;
  }

  #await(node: Node): void {
    const url = this.#plan.openings.get(node);
    const isTight = !this.#isLoose(node);
    // Brackets at the beginning of a line would belong to a line before that has no semicolon.
    const guard = isTight && this.#needsSemicolon(node) ? ';' : '';
    this.#edits.before(node.start, `${guard}${isTight ? '(' : ''}${url === undefined ? 'await ' : ''}`);
    if (url !== undefined) {
      const { compat, openDatabase } = this.#types.openers();
      this.#edits.replace(node.start, node.end, `${compat}(await ${openDatabase}(${url}))`);
    }
    if (isTight) this.#edits.after(node.end, ')');
  }

  #isLoose(node: Node): boolean {
    if (this.#plan.openings.has(node)) return true;
    const parent = this.#plan.project.parentOf(node)!;
    if ((node['extra'] as { parenthesized?: boolean } | undefined)?.parenthesized === true) return true;
    if (LOOSE.has(parent.type)) return true;
    if (parent.type === 'BinaryExpression')
      return parent['operator'] !== '**' || child(parent, 'left') !== node;
    if (isMember(parent)) {
      const call = this.#plan.project.parentOf(parent);
      // Of a sequence it becomes an argument.
      return child(parent, 'object') !== node || (call !== undefined && this.#plan.sequences.has(call));
    }
    return (isCall(parent) || parent.type === 'NewExpression') && child(parent, 'callee') !== node;
  }

  #needsSemicolon(node: Node): boolean {
    const { text } = this.#module;
    let outer: Node | undefined = node;
    while (outer !== undefined && outer.type !== 'ExpressionStatement') {
      const isCovered = outer !== node && this.#plan.awaited.has(outer);
      if (outer.start !== node.start || isCovered) return false;
      outer = this.#plan.project.parentOf(outer);
    }
    if (outer?.start !== node.start) return false;
    const body = list(this.#plan.project.parentOf(outer)!, 'body');
    const before = body[body.indexOf(outer) - 1];
    return before !== undefined && !';}'.includes(text[before.end - 1]!);
  }

  /** `await Array.fromAsync(rows, async (row) => …)` goes through the rows one after another, as before. */
  #sequence(call: Node): void {
    const object = child(child(call, 'callee')!, 'object')!;
    const [callback] = list(call, 'arguments');
    this.#edits.before(call.start, 'Array.fromAsync(');
    const { start } = this.#withBrackets(callback!);
    this.#edits.replace(this.#withBrackets(object).end, start, ', ');
  }

  /** From and to where an expression goes, with its own brackets. */
  #withBrackets(node: Node): { readonly start: number; readonly end: number } {
    const { parenthesized, parenStart } = (node['extra'] ?? {}) as {
      parenthesized?: boolean;
      parenStart?: number;
    };
    if (parenthesized !== true) return node;
    return { start: parenStart!, end: this.#module.text.indexOf(')', node.end) + 1 };
  }

  #asynchronous(fn: Node): void {
    if (isFunction(fn)) {
      const key = child(fn, 'key');
      const { text } = this.#module;
      const at =
        key === undefined ? fn.start : fn['computed'] === true ? text.lastIndexOf('[', key.start) : key.start;
      this.#edits.before(at, 'async ');
    }
    const written = child(
      fn,
      isFunction(fn) || fn.type.startsWith('TSDeclare') ? 'returnType' : 'typeAnnotation',
    );
    const type = written === undefined ? undefined : child(written, 'typeAnnotation');
    if (type === undefined || isPromise(type)) return;
    this.#edits.before(type.start, 'Promise<');
    this.#edits.after(type.end, '>');
  }

  #drop(call: Node): void {
    const statement = this.#plan.project.parentOf(call)!;
    const { text } = this.#module;
    const lineStart = text.lastIndexOf('\n', statement.start - 1) + 1;
    const lineEnd = text.indexOf('\n', statement.end);
    const isWholeLine =
      text.slice(lineStart, statement.start).trim() === '' &&
      text.slice(statement.end, lineEnd).trim() === '';
    if (isWholeLine && lineEnd !== -1) this.#edits.remove(lineStart, lineEnd + 1);
    else this.#edits.replace(statement.start, statement.end, ';');
  }
}

function isPromise(type: Node): boolean {
  const name = type.type === 'TSTypeReference' ? child(type, 'typeName') : undefined;
  return name !== undefined && /^Promise(?:Like)?$/.test(textOf(name, 'name') ?? '');
}

/** Every `@name` and `$name` in the statements that go to a connection which moves. */
export function foreignSigns(plan: Plan): SignsByModule {
  const { project, evaluator } = plan;
  const found = new Map<Module, Set<number>>();
  for (const { program } of project.modules) {
    walk(program, (node) => {
      const callee = isCall(node) ? bare(child(node, 'callee')!) : undefined;
      if (callee === undefined || !isMember(callee) || keyOf(callee) !== 'prepare') return undefined;
      const objects = evaluator.valuesOf(child(callee, 'object')!);
      const literal = objects.some(({ kind }) => kind === 'connection')
        ? literalOf(evaluator, list(node, 'arguments')[0])
        : undefined;
      if (literal === undefined) return undefined;
      const offsets = found.get(literal.module) ?? new Set();
      for (const at of foreignNames(literal.text)) offsets.add(literal.start + at);
      found.set(literal.module, offsets);
      return undefined;
    });
  }
  return found;
}
