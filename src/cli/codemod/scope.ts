import { bare, child, isClass, isFunction, keyOf, list, textOf, walk, type Node } from './node.ts';
import type { Module, Project } from './project.ts';

/** Where a binding's value comes from. `path` leads to it through patterns: `['db']` for `{ db } = …`. */
export type Source =
  | { readonly kind: 'expression'; readonly node: Node; readonly path: readonly string[] }
  | { readonly kind: 'type'; readonly node: Node; readonly path: readonly string[] }
  | { readonly kind: 'declaration'; readonly node: Node }
  | {
      readonly kind: 'parameter';
      readonly fn: Node;
      readonly index: number;
      readonly path: readonly string[];
    }
  /** `...rest` of a list. */
  | { readonly kind: 'array' }
  | { readonly kind: 'import'; readonly from: string; readonly name: string };

export interface Binding {
  readonly name: string;
  readonly module: Module;
  readonly sources: Source[];
}

type Names = Map<string, Binding>;

/** Of an import of everything: `import * as x`. */
export const NAMESPACE = '*';

/** Names of types live beside those of values. */
export function typeName(name: string): string {
  return `type ${name}`;
}

/** The names of one module, by the node in which they hold. */
export class Scopes {
  readonly #names = new Map<Node, Names>();
  readonly #project: Project;
  readonly #module: Module;

  constructor(project: Project, module: Module) {
    this.#project = project;
    this.#module = module;
    walk(module.program, (node) => this.#declare(node));
    walk(module.program, (node) => this.#assign(node));
  }

  /** What `name` means at `node`. */
  find(name: string, node: Node): Binding | undefined {
    for (let scope: Node | undefined = node; scope; scope = this.#project.parentOf(scope)) {
      const found = this.#names.get(scope)?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #declare(node: Node): undefined {
    if (isFunction(node)) this.#declareFunction(node);
    else if (isClass(node)) this.#declareClass(node);
    else if (node.type === 'VariableDeclaration') this.#declareVariables(node);
    else if (node.type === 'ImportDeclaration') this.#declareImports(node);
    else if (node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration')
      this.#add(this.#blockOf(node), typeName(nameOf(node)!), { kind: 'declaration', node });
    else if (node.type === 'CatchClause' && child(node, 'param') !== undefined)
      this.#pattern(child(node, 'param')!, node, () => []);
  }

  /** `db ??= open()`: a value that comes later. */
  #assign(node: Node): undefined {
    if (node.type !== 'AssignmentExpression') return;
    const left = child(node, 'left')!;
    const binding = left.type === 'Identifier' ? this.find(textOf(left, 'name')!, left) : undefined;
    binding?.sources.push({ kind: 'expression', node: child(node, 'right')!, path: [] });
  }

  #declareFunction(node: Node): void {
    const name = nameOf(node);
    if (name !== undefined) {
      const scope = node.type === 'FunctionDeclaration' ? this.#blockOf(node) : node;
      this.#add(scope, name, { kind: 'declaration', node });
    }
    list(node, 'params').forEach((param, index) => {
      const pattern = param.type === 'TSParameterProperty' ? child(param, 'parameter')! : param;
      this.#pattern(pattern, node, (path) => [{ kind: 'parameter', fn: node, index, path }]);
    });
  }

  #declareClass(node: Node): void {
    const name = nameOf(node);
    if (name === undefined) return;
    const scope = node.type === 'ClassDeclaration' ? this.#blockOf(node) : node;
    this.#add(scope, name, { kind: 'declaration', node });
  }

  #declareVariables(node: Node): void {
    const scope = node['kind'] === 'var' ? this.#functionOf(node) : this.#blockOf(node);
    for (const declarator of list(node, 'declarations')) {
      const init = child(declarator, 'init');
      this.#pattern(child(declarator, 'id')!, scope, (path) =>
        init === undefined ? [] : [{ kind: 'expression', node: init, path }],
      );
    }
  }

  #declareImports(node: Node): void {
    const from = textOf(child(node, 'source')!, 'value')!;
    for (const specifier of list(node, 'specifiers')) {
      const imported = child(specifier, 'imported');
      const name =
        specifier.type === 'ImportNamespaceSpecifier'
          ? NAMESPACE
          : imported === undefined
            ? 'default'
            : (textOf(imported, 'name') ?? textOf(imported, 'value')!);
      this.#add(this.#module.program, textOf(child(specifier, 'local')!, 'name')!, {
        kind: 'import',
        from,
        name,
      });
    }
  }

  /** Every name in a pattern, with its annotation and default. */
  #pattern(
    pattern: Node,
    scope: Node,
    sourcesOf: (path: readonly string[]) => readonly Source[],
    path: readonly string[] = [],
  ): void {
    const annotation = typeOf(pattern);
    const withType = (inner: readonly string[]): readonly Source[] =>
      annotation === undefined
        ? sourcesOf(inner)
        : [...sourcesOf(inner), { kind: 'type', node: annotation, path: inner.slice(path.length) }];
    switch (pattern.type) {
      case 'Identifier':
        this.#add(scope, textOf(pattern, 'name')!, ...withType(path));
        return;
      case 'AssignmentPattern': {
        const fallback = child(pattern, 'right')!;
        this.#pattern(
          child(pattern, 'left')!,
          scope,
          (inner) => [
            ...sourcesOf(inner),
            { kind: 'expression', node: fallback, path: inner.slice(path.length) },
          ],
          path,
        );
        return;
      }
      case 'ObjectPattern':
        for (const property of list(pattern, 'properties')) {
          const key = keyOf(property);
          const value = child(property, 'value');
          // What is left of an object (`...rest`) is not followed.
          if (key !== undefined && value !== undefined) this.#pattern(value, scope, withType, [...path, key]);
          else this.#pattern(child(property, 'argument') ?? value!, scope, () => []);
        }
        return;
      case 'ArrayPattern':
        for (const element of list(pattern, 'elements')) this.#pattern(element, scope, () => []);
        return;
      case 'RestElement':
        this.#pattern(child(pattern, 'argument')!, scope, () => [{ kind: 'array' }]);
    }
  }

  #add(scope: Node, name: string, ...sources: readonly Source[]): void {
    let names = this.#names.get(scope);
    if (names === undefined) this.#names.set(scope, (names = new Map()));
    const known = names.get(name);
    if (known === undefined) names.set(name, { name, module: this.#module, sources: [...sources] });
    else known.sources.push(...sources);
  }

  #blockOf(node: Node): Node {
    return this.#around(node, (outer) => BLOCKS.has(outer.type) || isFunction(outer));
  }

  #functionOf(node: Node): Node {
    return this.#around(node, (outer) => isFunction(outer) || outer.type === 'StaticBlock');
  }

  #around(node: Node, isScope: (outer: Node) => boolean): Node {
    let outer = this.#project.parentOf(node);
    while (outer !== undefined && outer.type !== 'Program' && !isScope(outer))
      outer = this.#project.parentOf(outer);
    return outer ?? this.#module.program;
  }
}

const BLOCKS = new Set([
  ...['BlockStatement', 'ForStatement', 'ForInStatement', 'ForOfStatement', 'SwitchStatement'],
  ...['StaticBlock', 'TSModuleBlock'],
]);

function nameOf(node: Node): string | undefined {
  const id = child(node, 'id');
  return id === undefined ? undefined : textOf(id, 'name');
}

/** The type that is written behind a name or a pattern. */
export function typeOf(node: Node): Node | undefined {
  const annotation = child(bare(node), 'typeAnnotation');
  return annotation === undefined ? undefined : (child(annotation, 'typeAnnotation') ?? annotation);
}
