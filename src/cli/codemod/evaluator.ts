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
  textOf,
  type Node,
} from './node.ts';
import { fieldsOf, returnsOf } from './fields.ts';
import { isModuleExports, type Module, type Project } from './project.ts';
import { NAMESPACE, typeName, typeOf, type Binding, type Source } from './scope.ts';
import { TypeReader } from './type-reader.ts';
import {
  ARRAY,
  CONNECTION,
  distinct,
  exportedValue,
  FOREIGN,
  STATEMENT,
  TRANSACTION_MEMBERS,
  type Value,
} from './value.ts';

const NOTHING: readonly Value[] = [];
/** Methods that give an array where their object is one. */
const ARRAY_METHODS = new Set([
  ...['map', 'filter', 'slice', 'sort', 'reverse', 'concat', 'flat', 'flatMap', 'splice'],
  ...['toSorted', 'toReversed', 'toSpliced', 'with'],
]);
const STATEMENT_GIVES: Readonly<Record<string, readonly Value[]>> = {
  ...{ pluck: [STATEMENT], raw: [STATEMENT], bind: [STATEMENT], all: [ARRAY] },
  iterate: [{ kind: 'iterator' }],
};

/** Says of expressions what they may stand for, by following names, calls and members through the project. */
export class Evaluator {
  readonly project: Project;
  readonly #types: TypeReader;
  /** What is passed to a parameter, as far as calls were seen. */
  readonly #passed = new Map<Node, Map<number, readonly Value[]>>();
  readonly #fields: ReadonlyMap<Node, ReadonlyMap<string, readonly Node[]>>;
  readonly #isMovable: (opening: Node) => boolean;
  #known = new Map<Node, readonly Value[]>();
  readonly #underWay = new Set<Node | Binding>();
  /** Goes up whenever a cycle is cut: what was found in between is incomplete, and not kept. */
  #cuts = 0;

  /** @param isMovable whether a connection that is opened there can become another one */
  constructor(project: Project, isMovable: (opening: Node) => boolean) {
    this.project = project;
    this.#isMovable = isMovable;
    this.#fields = fieldsOf(project);
    this.#types = new TypeReader(this);
  }

  /** Records what a call passes. @returns whether that is new; then everything is evaluated again */
  pass(fn: Node, index: number, values: readonly Value[]): boolean {
    let parameters = this.#passed.get(fn);
    if (parameters === undefined) this.#passed.set(fn, (parameters = new Map()));
    const before = parameters.get(index) ?? NOTHING;
    const after = distinct([...before, ...values]);
    if (after.length === before.length) return false;
    parameters.set(index, after);
    this.#known = new Map();
    return true;
  }

  valuesOf(expression: Node): readonly Value[] {
    const node = bare(expression);
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    if (this.#underWay.has(node)) {
      this.#cuts += 1;
      return NOTHING;
    }
    const cuts = this.#cuts;
    this.#underWay.add(node);
    const values = distinct(this.#evaluate(node));
    this.#underWay.delete(node);
    if (cuts === this.#cuts) this.#known.set(node, values);
    return values;
  }

  /** What a type that is written down stands for. */
  typeValues(type: Node): readonly Value[] {
    return this.#types.valuesOf(type);
  }

  /** What a call of the function gives, or what its promise gives. */
  returned(fn: Node): readonly Value[] {
    const written = child(fn, 'returnType') ?? child(fn, 'typeAnnotation');
    const typed = written === undefined ? NOTHING : this.typeValues(child(written, 'typeAnnotation')!);
    return distinct([...returnsOf(fn).flatMap((node) => this.valuesOf(node)), ...typed]);
  }

  bindingOf(identifier: Node): Binding | undefined {
    const name = textOf(identifier, 'name');
    const module = this.project.moduleOf(identifier);
    return name === undefined ? undefined : this.project.scopesOf(module).find(name, identifier);
  }

  /** The declaration of a type's name, or of a class. */
  typeBindingOf(identifier: Node): Binding | undefined {
    const name = textOf(identifier, 'name')!;
    const scopes = this.project.scopesOf(this.project.moduleOf(identifier));
    return scopes.find(typeName(name), identifier) ?? scopes.find(name, identifier);
  }

  /** What a module gives under a name. */
  exported(module: Module, name: string): readonly Value[] {
    if (name === NAMESPACE) return [{ kind: 'module', module }];
    const found = module.exports.get(name);
    if (found?.kind === 'expression') return this.#declared(found.node);
    if (found?.kind === 'from') return this.#imported(module, found.from, found.name);
    if (found?.kind === 'local') {
      const binding = this.project.scopesOf(module).find(found.name, module.program);
      return binding === undefined ? NOTHING : this.#bound(binding);
    }
    // `require('./x')` gives all that is exported as one object.
    if (name === 'default' && !module.isEsm) return [{ kind: 'module', module }];
    return module.passedOn.flatMap((from) => (name === 'default' ? [] : this.#imported(module, from, name)));
  }

  memberValues(values: readonly Value[], name: string): readonly Value[] {
    return distinct(values.flatMap((value) => this.#member(value, name)));
  }

  #evaluate(node: Node): readonly Value[] {
    if (isFunction(node)) return [{ kind: 'function', node }];
    if (isClass(node)) return [{ kind: 'class', node }];
    if (isCall(node)) return this.#call(node);
    if (isMember(node)) return this.#memberExpression(node);
    switch (node.type) {
      case 'Identifier': {
        const binding = this.bindingOf(node);
        return binding === undefined ? this.#unbound(node) : this.#bound(binding);
      }
      case 'ThisExpression':
        return this.#this(node);
      case 'Super':
        return this.#super(node);
      case 'StringLiteral':
      case 'TemplateLiteral':
      case 'NumericLiteral':
        return [FOREIGN];
      case 'NewExpression':
        return this.#new(node);
      case 'ObjectExpression':
        return [{ kind: 'object', node }];
      case 'ArrayExpression':
        return [ARRAY];
      case 'AwaitExpression':
        return this.valuesOf(child(node, 'argument')!);
      case 'AssignmentExpression':
        return this.valuesOf(child(node, 'right')!);
      case 'ConditionalExpression':
        return [...this.valuesOf(child(node, 'consequent')!), ...this.valuesOf(child(node, 'alternate')!)];
      case 'LogicalExpression':
        return [...this.valuesOf(child(node, 'left')!), ...this.valuesOf(child(node, 'right')!)];
      case 'SequenceExpression':
        return this.valuesOf(list(node, 'expressions').at(-1)!);
      default:
        return NOTHING;
    }
  }

  #bound(binding: Binding): readonly Value[] {
    if (this.#underWay.has(binding)) {
      this.#cuts += 1;
      return NOTHING;
    }
    this.#underWay.add(binding);
    const values = binding.sources.flatMap((source) => this.#source(source, binding.module));
    this.#underWay.delete(binding);
    // A name whose connection cannot move is no connection, whatever its type says.
    const isStuck = binding.sources.some(
      (source) => source.kind === 'expression' && source.path.length === 0 && this.#isStuck(source.node),
    );
    return distinct(isStuck ? values.filter(({ kind }) => kind !== 'connection') : values);
  }

  /** `exports` and `module` of CommonJS. */
  #unbound(node: Node): readonly Value[] {
    const module = this.project.moduleOf(node);
    return textOf(node, 'name') === 'exports' && !module.isEsm ? [{ kind: 'module', module }] : NOTHING;
  }

  #source(source: Source, module: Module): readonly Value[] {
    switch (source.kind) {
      case 'expression':
        return this.#along(this.valuesOf(source.node), source.path);
      case 'type':
        return this.#along(this.typeValues(source.node), source.path);
      case 'declaration':
        return this.#declared(source.node);
      case 'array':
        return [ARRAY];
      case 'parameter':
        return this.#along(this.#passed.get(source.fn)?.get(source.index) ?? NOTHING, source.path);
      case 'import':
        return this.#imported(module, source.from, source.name);
    }
  }

  #along(values: readonly Value[], path: readonly string[]): readonly Value[] {
    return path.reduce((each, name) => this.memberValues(each, name), values);
  }

  #declared(node: Node): readonly Value[] {
    return node.type.startsWith('TS') ? NOTHING : this.valuesOf(node);
  }

  #imported(module: Module, from: string, name: string): readonly Value[] {
    const target = this.project.resolve(from, module);
    if (target !== undefined) return this.exported(target, name);
    if (name === NAMESPACE) return [{ kind: 'library', from }];
    const value = exportedValue(from, name);
    return value === undefined ? NOTHING : [value];
  }

  #call(node: Node): readonly Value[] {
    const callee = bare(child(node, 'callee')!);
    if (textOf(callee, 'name') === 'require') return this.#require(node);
    const direct = this.valuesOf(callee).flatMap((value) => this.#calling(value));
    if (!isMember(callee)) return direct;
    const name = keyOf(callee);
    const objects = this.valuesOf(child(callee, 'object')!);
    return name === undefined
      ? direct
      : [...direct, ...objects.flatMap((each) => methodGives(each, name, node))];
  }

  #calling(value: Value): readonly Value[] {
    if (value.kind === 'compat') return [CONNECTION];
    if (value.kind === 'function') return this.returned(value.node);
    if (value.kind !== 'transaction') return NOTHING;
    const [work] = list(value.node, 'arguments');
    return work === undefined ? NOTHING : this.valuesOf(work).flatMap((each) => this.#calling(each));
  }

  #require(node: Node): readonly Value[] {
    const [path] = list(node, 'arguments');
    const from = path === undefined ? undefined : textOf(path, 'value');
    if (from === undefined) return NOTHING;
    const module = this.project.moduleOf(node);
    const target = this.project.resolve(from, module);
    if (target !== undefined)
      return target.isEsm ? [{ kind: 'module', module: target }] : this.exported(target, 'default');
    const whole = exportedValue(from, 'default');
    return [whole ?? { kind: 'library', from }];
  }

  #new(node: Node): readonly Value[] {
    const callee = child(node, 'callee')!;
    if (this.#isOfOthers(callee)) return [FOREIGN];
    return this.valuesOf(callee).flatMap((value): readonly Value[] => {
      if (value.kind === 'opener') return [this.#isMovable(node) ? CONNECTION : FOREIGN];
      return value.kind === 'class' ? [{ kind: 'instance', node: value.node }] : NOTHING;
    });
  }

  /** True for a class of the language, such as Map, or of a library that is not followed. */
  #isOfOthers(callee: Node): boolean {
    if (callee.type !== 'Identifier') return false;
    const [source] = this.bindingOf(callee)?.sources ?? [undefined];
    if (source === undefined) return this.bindingOf(callee) === undefined;
    return (
      source.kind === 'import' &&
      !source.from.startsWith('.') &&
      exportedValue(source.from, source.name) === undefined
    );
  }

  /** True for an opening that stays as it is. */
  #isStuck(expression: Node): boolean {
    const node = bare(expression);
    if (node.type !== 'NewExpression' || this.#isMovable(node)) return false;
    return this.valuesOf(child(node, 'callee')!).some(({ kind }) => kind === 'opener');
  }

  #memberExpression(node: Node): readonly Value[] {
    const name = keyOf(node);
    const module = this.project.moduleOf(node);
    if (isModuleExports(node) && !module.isEsm) return this.exported(module, 'default');
    return name === undefined ? NOTHING : this.memberValues(this.valuesOf(child(node, 'object')!), name);
  }

  #this(node: Node): readonly Value[] {
    let inner = node;
    let outer = this.project.parentOf(node);
    while (outer !== undefined) {
      if (outer.type === 'ClassBody')
        return [
          { kind: inner['static'] === true ? 'class' : 'instance', node: this.project.parentOf(outer)! },
        ];
      if (outer.type === 'ObjectExpression' && inner.type === 'ObjectMethod')
        return [{ kind: 'object', node: outer }];
      if (outer.type.startsWith('Function')) return NOTHING;
      inner = outer;
      outer = this.project.parentOf(outer);
    }
    return NOTHING;
  }

  /** What a class has from the one that it extends. */
  #super(node: Node): readonly Value[] {
    return this.#this(node).flatMap((value): readonly Value[] => {
      const parent = 'node' in value ? child(value.node, 'superClass') : undefined;
      if (parent === undefined) return NOTHING;
      return this.valuesOf(parent).flatMap((each): readonly Value[] =>
        each.kind === 'class' && value.kind === 'instance' ? [{ kind: 'instance', node: each.node }] : [each],
      );
    });
  }

  #member(value: Value, name: string): readonly Value[] {
    switch (value.kind) {
      case 'module':
        return this.exported(value.module, name);
      case 'library': {
        const found = exportedValue(value.from, name);
        return found === undefined ? NOTHING : [found];
      }
      case 'transaction':
        return TRANSACTION_MEMBERS.has(name) ? [value] : NOTHING;
      case 'object':
        return this.#property(value.node, name);
      case 'signatures':
        return this.#types.member(value.node, name);
      case 'instance':
      case 'class':
        return this.#classMember(value.node, name, value.kind === 'class');
      default:
        return NOTHING;
    }
  }

  #property(object: Node, name: string): readonly Value[] {
    return list(object, 'properties').flatMap((property) => {
      if (property.type === 'SpreadElement')
        return this.memberValues(this.valuesOf(child(property, 'argument')!), name);
      if (keyOf(property) !== name) return NOTHING;
      return this.valuesOf(child(property, 'value') ?? property);
    });
  }

  #classMember(node: Node, name: string, isStatic: boolean): readonly Value[] {
    const members = list(child(node, 'body')!, 'body').filter(
      (member) => keyOf(member) === name && (member['static'] === true) === isStatic,
    );
    const values = members.flatMap((member): readonly Value[] => {
      if (isFunction(member) && member['kind'] === 'get') return this.returned(member);
      if (isFunction(member) || isSignature(member)) return [{ kind: 'function', node: member }];
      const type = typeOf(member);
      const initial = child(member, 'value');
      return [
        ...(type === undefined ? NOTHING : this.typeValues(type)),
        ...(initial === undefined ? NOTHING : this.valuesOf(initial)),
      ];
    });
    const assigned = isStatic ? [] : (this.#fields.get(node)?.get(name) ?? []);
    const all = [...values, ...assigned.flatMap((each) => this.valuesOf(each))];
    const own = [...assigned, ...members.flatMap((member) => child(member, 'value') ?? [])].some((each) =>
      this.#isStuck(each),
    )
      ? all.filter(({ kind }) => kind !== 'connection')
      : all;
    const parent = child(node, 'superClass');
    if (own.length > 0 || members.length > 0 || parent === undefined) return own;
    return this.valuesOf(parent).flatMap((each) =>
      each.kind === 'class' ? this.#classMember(each.node, name, isStatic) : NOTHING,
    );
  }
}

function methodGives(object: Value, name: string, call: Node): readonly Value[] {
  if (object.kind === 'statement')
    return Object.hasOwn(STATEMENT_GIVES, name) ? STATEMENT_GIVES[name]! : NOTHING;
  if (object.kind === 'array') return ARRAY_METHODS.has(name) ? [ARRAY] : NOTHING;
  if (object.kind === 'foreign') return [FOREIGN];
  if (object.kind !== 'connection') return NOTHING;
  if (name === 'prepare') return [STATEMENT];
  if (name === 'transaction') return [{ kind: 'transaction', node: call }];
  return name === 'exec' ? [CONNECTION] : NOTHING;
}
