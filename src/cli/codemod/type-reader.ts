import { child, isSignature, keyOf, list, textOf, type Node } from './node.ts';
import type { Evaluator } from './evaluator.ts';
import { NAMESPACE, typeOf, type Binding } from './scope.ts';
import {
  ARRAY,
  CONNECTION,
  exportedType,
  FOREIGN,
  STATEMENT,
  type LibraryType,
  type Value,
} from './value.ts';

const NOTHING: readonly Value[] = [];
const ARRAYS = new Set(['Array', 'ReadonlyArray']);
const OF_THE_LANGUAGE = new Set([
  'Map',
  'ReadonlyMap',
  'Set',
  'ReadonlySet',
  'WeakMap',
  'WeakSet',
  'Date',
  'URL',
]);
/** Types that are what they hold, for the purpose here. */
const TRANSPARENT = new Set([
  'Promise',
  'Readonly',
  'NonNullable',
  'Awaited',
  'Required',
  'Partial',
  'Pick',
  'Omit',
]);
const MOST_DEPTH = 20;

/** Says of types that are written down what their values are. */
export class TypeReader {
  readonly #evaluator: Evaluator;
  #depth = 0;

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  valuesOf(type: Node): readonly Value[] {
    // A type may contain itself.
    if (this.#depth === MOST_DEPTH) return NOTHING;
    this.#depth += 1;
    try {
      return this.#read(type);
    } finally {
      this.#depth -= 1;
    }
  }

  /** A member of an interface or of an object's type. */
  member(owner: Node, name: string): readonly Value[] {
    const body = child(owner, 'body');
    const members = body === undefined ? list(owner, 'members') : list(body, 'body');
    const own = members
      .filter((member) => keyOf(member) === name)
      .flatMap((member): readonly Value[] => {
        if (isSignature(member)) return [{ kind: 'function', node: member }];
        const type = typeOf(member);
        return type === undefined ? NOTHING : this.valuesOf(type);
      });
    if (own.length > 0) return own;
    const parents = list(owner, 'extends').flatMap((parent) => {
      const id = child(parent, 'expression');
      return id === undefined ? NOTHING : this.#named(id, parent);
    });
    return this.#evaluator.memberValues(parents, name);
  }

  #read(type: Node): readonly Value[] {
    switch (type.type) {
      case 'TSUnionType':
      case 'TSIntersectionType':
        return list(type, 'types').flatMap((each) => this.valuesOf(each));
      case 'TSParenthesizedType':
      case 'TSTypeOperator':
        return this.valuesOf(child(type, 'typeAnnotation')!);
      case 'TSArrayType':
      case 'TSTupleType':
        return [ARRAY];
      case 'TSFunctionType':
        return [{ kind: 'function', node: type }];
      case 'TSTypeLiteral':
        return [{ kind: 'signatures', node: type }];
      case 'TSStringKeyword':
      case 'TSNumberKeyword':
        return [FOREIGN];
      case 'TSTypeQuery':
        return this.#evaluator.valuesOf(child(type, 'exprName')!);
      case 'TSTypeReference':
        return this.#named(child(type, 'typeName')!, type);
      default:
        return NOTHING;
    }
  }

  #named(name: Node, reference: Node): readonly Value[] {
    const library = libraryType(this.#evaluator, name);
    if (library !== undefined) {
      if (library.kind === 'connection') return [CONNECTION];
      return library.kind === 'statement' ? [STATEMENT] : NOTHING;
    }
    const [argument] = list(child(reference, 'typeParameters') ?? reference, 'params');
    const text = textOf(name, 'name');
    if (text === undefined) return NOTHING;
    const binding = this.#evaluator.typeBindingOf(name);
    if (binding !== undefined) return this.#declared(binding);
    if (ARRAYS.has(text)) return [ARRAY];
    if (OF_THE_LANGUAGE.has(text)) return [FOREIGN];
    if (argument === undefined) return NOTHING;
    if (text === 'ReturnType')
      return this.valuesOf(argument).flatMap((value) =>
        value.kind === 'function' ? this.#evaluator.returned(value.node) : NOTHING,
      );
    return TRANSPARENT.has(text) ? this.valuesOf(argument) : NOTHING;
  }

  #declared(binding: Binding): readonly Value[] {
    return binding.sources.flatMap((source): readonly Value[] => {
      if (source.kind === 'declaration') return this.#declaration(source.node);
      if (source.kind !== 'import') return NOTHING;
      const target = this.#evaluator.project.resolve(source.from, binding.module);
      if (target === undefined || source.name === NAMESPACE) return NOTHING;
      const scopes = this.#evaluator.project.scopesOf(target);
      const found = target.exports.get(source.name);
      const local = found?.kind === 'local' ? found.name : source.name;
      const inner = scopes.find(`type ${local}`, target.program) ?? scopes.find(local, target.program);
      if (inner !== undefined) return this.#declared(inner);
      return this.#evaluator
        .exported(target, source.name)
        .flatMap((value): readonly Value[] =>
          value.kind === 'class' ? [{ kind: 'instance', node: value.node }] : [],
        );
    });
  }

  #declaration(node: Node): readonly Value[] {
    if (node.type === 'TSInterfaceDeclaration') return [{ kind: 'signatures', node }];
    if (node.type === 'TSTypeAliasDeclaration') return this.valuesOf(child(node, 'typeAnnotation')!);
    return node.type.startsWith('Class') ? [{ kind: 'instance', node }] : NOTHING;
  }
}

/** `Database.Database`, `Statement`, `DatabaseSync`: a type of a library, by the name that is written. */
export function libraryType(evaluator: Evaluator, name: Node): LibraryType | undefined {
  if (name.type === 'TSQualifiedName') {
    const from = importOf(evaluator, child(name, 'left')!);
    const right = textOf(child(name, 'right')!, 'name')!;
    return from === undefined ? undefined : exportedType(from.from, right);
  }
  const from = importOf(evaluator, name);
  if (from === undefined || from.name === NAMESPACE) return undefined;
  // `DatabaseConstructor`, the type of the class itself, is none of those that are followed.
  return from.name === 'default' ? undefined : exportedType(from.from, from.name);
}

function importOf(
  evaluator: Evaluator,
  name: Node,
): { readonly from: string; readonly name: string } | undefined {
  if (name.type !== 'Identifier') return undefined;
  const source = evaluator.bindingOf(name)?.sources.find(({ kind }) => kind === 'import');
  return source?.kind === 'import' ? source : undefined;
}
