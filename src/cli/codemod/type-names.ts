import type { Edits } from './edits.ts';
import { child, isCall, isMember, keyOf, list, textOf, walk, type Node } from './node.ts';
import type { Plan } from './plan.ts';
import type { Module } from './project.ts';
import { libraryType } from './type-reader.ts';

const OLD = /^(?:better-sqlite3|(?:node:)?sqlite)$/;
const DOORS: Readonly<Record<string, string>> = { openDatabase: 'millpond' };

/** Names of the libraries' types in one module, and its imports. */
export class TypeNames {
  readonly #plan: Plan;
  readonly #module: Module;
  readonly #edits: Edits;
  /** Name → what it is called here. */
  readonly #wanted = new Map<string, { readonly local: string; readonly isType: boolean }>();
  /** What the module calls something of its own. */
  readonly #taken = new Set<string>();
  /** Places where a name of the old library is not needed any more. */
  readonly #replaced = new Set<Node>();

  constructor(plan: Plan, module: Module, edits: Edits) {
    this.#plan = plan;
    this.#module = module;
    this.#edits = edits;
    walk(module.program, (node) => {
      if (node.type === 'ImportDeclaration' && isMillpond(node)) return false;
      if (node.type === 'Identifier') this.#taken.add(textOf(node, 'name')!);
      return undefined;
    });
  }

  openers(): { readonly compat: string; readonly openDatabase: string } {
    return { compat: this.#name('compat', false), openDatabase: this.#name('openDatabase', false) };
  }

  visit(node: Node): void {
    if (node.type === 'TSTypeReference') this.#reference(node);
    else if (isCall(node)) this.#prepare(node);
    if (this.#plan.openings.has(node)) this.#replaced.add(child(node, 'callee')!);
  }

  /** Adds what is imported now, and takes away what nobody names any more. */
  writeImports(): void {
    const { text } = this.#module;
    const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
    const lines = this.#lines(lineEnd);
    const old = list(this.#module.program, 'body').filter((node) => OLD.test(sourceOf(node) ?? ''));
    const unused = this.#replaced.size === 0 ? [] : old.filter((node) => !this.#isUsed(node));
    for (const node of unused) {
      const end = text.startsWith(lineEnd, node.end) ? node.end + lineEnd.length : node.end;
      if (node !== unused[0] || lines === '') this.#edits.remove(node.start, end);
    }
    if (lines === '') return;
    const [first] = unused;
    if (first !== undefined) this.#edits.replace(first.start, first.end, lines);
    else this.#edits.before(this.#firstImport(), `${lines}${lineEnd}`);
  }

  #reference(node: Node): void {
    const name = child(node, 'typeName')!;
    const type = libraryType(this.#plan.evaluator, name);
    if (type === undefined || type.kind === 'other') return;
    const local = this.#name(type.name, true);
    this.#replaced.add(name);
    if (this.#module.text.slice(name.start, name.end) !== local)
      this.#edits.replace(name.start, name.end, local);
    if (type.kind === 'statement') this.#parameters(child(node, 'typeParameters'));
  }

  #prepare(call: Node): void {
    const callee = child(call, 'callee')!;
    if (!isMember(callee) || keyOf(callee) !== 'prepare') return;
    const objects = this.#plan.evaluator.valuesOf(child(callee, 'object')!);
    if (objects.some(({ kind }) => kind === 'connection')) this.#parameters(child(call, 'typeParameters'));
  }

  /** What is bound is a list here: `Statement<{ id: number }>` binds one object. */
  #parameters(given: Node | undefined): void {
    const [bound] = given === undefined ? [] : list(given, 'params');
    if (bound === undefined || !/^TS(?:TypeLiteral|TypeReference)$/.test(bound.type)) return;
    this.#edits.before(bound.start, '[');
    this.#edits.after(bound.end, ']');
  }

  #name(name: string, isType: boolean): string {
    const known = this.#wanted.get(name);
    if (known !== undefined) return known.local;
    const imported = this.#imported(name);
    const local = imported ?? (this.#taken.has(name) ? `${name}_` : name);
    if (imported === undefined) this.#wanted.set(name, { local, isType });
    return local;
  }

  /** What a name of millpond is called already. */
  #imported(name: string): string | undefined {
    for (const node of list(this.#module.program, 'body')) {
      if (node.type !== 'ImportDeclaration' || !isMillpond(node)) continue;
      for (const specifier of list(node, 'specifiers')) {
        const imported = child(specifier, 'imported');
        if (imported !== undefined && textOf(imported, 'name') === name)
          return textOf(child(specifier, 'local')!, 'name');
      }
    }
    return undefined;
  }

  #lines(lineEnd: string): string {
    const byDoor = new Map<string, string[]>();
    const areTypes = [...this.#wanted].every(([, { isType }]) => isType);
    for (const [name, { local, isType }] of this.#wanted) {
      const door = DOORS[name] ?? 'millpond/compat';
      const said = local === name ? name : `${name}${this.#isRequiring ? ':' : ' as'} ${local}`;
      byDoor.set(door, [...(byDoor.get(door) ?? []), isType && !areTypes ? `type ${said}` : said]);
    }
    return [...byDoor]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([door, names]) => {
        const listed = `{ ${names.join(', ')} }`;
        if (this.#isRequiring) return `const ${listed} = require('${door}');`;
        return `import ${areTypes ? 'type ' : ''}${listed} from '${door}';`;
      })
      .join(lineEnd);
  }

  /** CommonJS in JavaScript. TypeScript writes `import` in both. */
  get #isRequiring(): boolean {
    return !this.#module.isEsm && !/tsx?$/.test(this.#module.path);
  }

  /** Whether any name of an import is still used, where it was not replaced. */
  #isUsed(declaration: Node): boolean {
    const names = new Set(namesIn(declaration));
    let isUsed = false;
    walk(this.#module.program, (node) => {
      if (node === declaration || this.#replaced.has(node)) return false;
      if (node.type === 'Identifier' && names.has(textOf(node, 'name')!)) isUsed = true;
      return undefined;
    });
    return isUsed;
  }

  #firstImport(): number {
    const body = list(this.#module.program, 'body');
    return (body.find(({ type }) => type === 'ImportDeclaration') ?? body[0] ?? this.#module.program).start;
  }
}

/** What an import, or a `const … = require()`, is of. */
function sourceOf(statement: Node): string | undefined {
  if (statement.type === 'ImportDeclaration') return textOf(child(statement, 'source')!, 'value');
  const [declarator, ...others] =
    statement.type === 'VariableDeclaration' ? list(statement, 'declarations') : [];
  const init = declarator === undefined || others.length > 0 ? undefined : child(declarator, 'init');
  if (init === undefined || !isCall(init) || textOf(child(init, 'callee')!, 'name') !== 'require')
    return undefined;
  const [path] = list(init, 'arguments');
  return path === undefined ? undefined : textOf(path, 'value');
}

/** The names that it makes. */
function namesIn(statement: Node): string[] {
  if (statement.type === 'ImportDeclaration')
    return list(statement, 'specifiers').map((specifier) => textOf(child(specifier, 'local')!, 'name')!);
  const names: string[] = [];
  walk(child(list(statement, 'declarations')[0]!, 'id')!, (node) => {
    if (node.type === 'Identifier') names.push(textOf(node, 'name')!);
    return undefined;
  });
  return names;
}

function isMillpond(declaration: Node): boolean {
  return /^millpond(?:\/compat)?$/.test(textOf(child(declaration, 'source')!, 'value')!);
}
