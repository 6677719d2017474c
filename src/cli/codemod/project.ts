import { dirname, resolve } from 'node:path';
import { child, childrenOf, isMember, keyOf, list, textOf, walk, type Node } from './node.ts';
import type { Parse } from './parse-module.ts';
import { Scopes } from './scope.ts';

/** What a module gives to others under one name. */
export type Export =
  | { readonly kind: 'expression'; readonly node: Node }
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'from'; readonly from: string; readonly name: string };

export interface Module {
  /** As the caller wrote it. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly exports: ReadonlyMap<string, Export>;
  /** Modules of which everything is given on. */
  readonly passedOn: readonly string[];
  /** False for CommonJS, which cannot await outside of functions. */
  readonly isEsm: boolean;
}

/** The files that are read together: calls are followed from one to another, and no further. */
export class Project {
  readonly modules: Module[] = [];
  readonly #byPath = new Map<string, Module>();
  readonly #parents = new Map<Node, Node>();
  readonly #moduleOf = new Map<Node, Module>();
  readonly #scopes = new Map<Module, Scopes>();

  constructor(files: ReadonlyMap<string, string>, parse: Parse) {
    for (const [path, text] of files) {
      const program = parse(text, path);
      const module = { path, text, program, ...exportsOf(program), isEsm: isEsm(program, path) };
      this.modules.push(module);
      this.#byPath.set(resolve(path), module);
      this.#moduleOf.set(program, module);
      walk(program, (node) => {
        for (const inner of childrenOf(node)) this.#parents.set(inner, node);
        return undefined;
      });
    }
    for (const module of this.modules) this.#scopes.set(module, new Scopes(this, module));
  }

  parentOf(node: Node): Node | undefined {
    return this.#parents.get(node);
  }

  moduleOf(node: Node): Module {
    let outer = node;
    for (let next = this.parentOf(outer); next !== undefined; next = this.parentOf(outer)) outer = next;
    return this.#moduleOf.get(outer)!;
  }

  scopesOf(module: Module): Scopes {
    return this.#scopes.get(module)!;
  }

  /** The file behind `./x.js`, which may be a `./x.ts`. */
  resolve(from: string, module: Module): Module | undefined {
    if (!from.startsWith('.')) return undefined;
    const path = resolve(dirname(module.path), from);
    const stem = path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2');
    const candidates = [path, stem, ...ENDS.flatMap((end) => [path + end, `${path}/index${end}`])];
    return candidates.map((each) => this.#byPath.get(each)).find((each) => each !== undefined);
  }
}

const ENDS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'];

function isEsm(program: Node, path: string): boolean {
  if (/\.c[jt]s$/.test(path)) return false;
  return program['sourceType'] === 'module' || /\.m[jt]s$/.test(path);
}

function exportsOf(program: Node): Pick<Module, 'exports' | 'passedOn'> {
  const exports = new Map<string, Export>();
  const passedOn: string[] = [];
  for (const node of list(program, 'body')) {
    if (node.type === 'ExportDefaultDeclaration')
      exports.set('default', { kind: 'expression', node: child(node, 'declaration')! });
    else if (node.type === 'ExportAllDeclaration') passedOn.push(textOf(child(node, 'source')!, 'value')!);
    else if (node.type === 'ExportNamedDeclaration') collectNamed(node, exports);
    else if (node.type === 'ExpressionStatement') collectCommonJs(child(node, 'expression')!, exports);
  }
  return { exports, passedOn };
}

function collectNamed(node: Node, exports: Map<string, Export>): void {
  const source = child(node, 'source');
  for (const specifier of list(node, 'specifiers')) {
    const exported = child(specifier, 'exported')!;
    const local = child(specifier, 'local');
    const name = textOf(exported, 'name') ?? textOf(exported, 'value')!;
    if (source === undefined) exports.set(name, { kind: 'local', name: textOf(local!, 'name')! });
    else {
      const imported = local === undefined ? '*' : (textOf(local, 'name') ?? textOf(local, 'value')!);
      exports.set(name, { kind: 'from', from: textOf(source, 'value')!, name: imported });
    }
  }
  const declaration = child(node, 'declaration');
  if (declaration === undefined) return;
  const declared =
    declaration.type === 'VariableDeclaration' ? list(declaration, 'declarations') : [declaration];
  for (const each of declared) {
    const id = child(each, 'id');
    const names =
      id?.type === 'ObjectPattern' ? list(id, 'properties').map((one) => child(one, 'value')) : [id];
    for (const named of names) {
      const name = named === undefined ? undefined : textOf(named, 'name');
      if (name !== undefined) exports.set(name, { kind: 'local', name });
    }
  }
}

/** `module.exports = …`, `exports.x = …`, `module.exports.x = …`. */
function collectCommonJs(expression: Node, exports: Map<string, Export>): void {
  if (expression.type !== 'AssignmentExpression') return;
  const left = child(expression, 'left')!;
  const node = child(expression, 'right')!;
  if (!isMember(left)) return;
  const object = child(left, 'object')!;
  const name = keyOf(left);
  if (isModuleExports(left)) exports.set('default', { kind: 'expression', node });
  else if (name !== undefined && (isModuleExports(object) || textOf(object, 'name') === 'exports'))
    exports.set(name, { kind: 'expression', node });
}

export function isModuleExports(node: Node): boolean {
  return isMember(node) && keyOf(node) === 'exports' && textOf(child(node, 'object')!, 'name') === 'module';
}
