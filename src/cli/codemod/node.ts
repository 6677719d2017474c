/**
 * A node of Babel's tree: https://github.com/babel/babel/blob/main/packages/babel-parser/ast/spec.md
 * Only its kind and its place are taken for granted; what else it has is read through the functions below.
 */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** Fields that look like part of the tree but are not. */
const BESIDE = new Set(['loc', 'extra', 'leadingComments', 'trailingComments', 'innerComments', 'errors']);

const FUNCTIONS = new Set([
  ...['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'],
  ...['ObjectMethod', 'ClassMethod', 'ClassPrivateMethod'],
]);
/** What says how a function is called, and has no body. */
const SIGNATURES = new Set([
  ...['TSDeclareFunction', 'TSDeclareMethod', 'TSMethodSignature', 'TSFunctionType'],
]);
const CLASSES = new Set(['ClassDeclaration', 'ClassExpression']);

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

export function child(node: Node, property: string): Node | undefined {
  const value = node[property];
  return isNode(value) ? value : undefined;
}

export function list(node: Node, property: string): readonly Node[] {
  const value = node[property];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** A property that is a text: the name of an identifier, an operator. */
export function textOf(node: Node, property: string): string | undefined {
  const value = node[property];
  return typeof value === 'string' ? value : undefined;
}

export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const property of Object.keys(node)) {
    if (BESIDE.has(property)) continue;
    const value = node[property];
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) found.push(...value.filter(isNode));
  }
  return found;
}

/** Every node, an outer one before what is in it. Not inside of nodes for which `enter` gives false. */
export function walk(node: Node, enter: (node: Node) => false | undefined): void {
  if (enter(node) === false) return;
  for (const inner of childrenOf(node)) walk(inner, enter);
}

export function isFunction(node: Node): boolean {
  return FUNCTIONS.has(node.type);
}

export function isSignature(node: Node): boolean {
  return SIGNATURES.has(node.type);
}

export function isClass(node: Node): boolean {
  return CLASSES.has(node.type);
}

/** The expression itself, without the brackets and claims about types around it. */
export function bare(node: Node): Node {
  const isWrapped =
    node.type === 'TSAsExpression' ||
    node.type === 'TSNonNullExpression' ||
    node.type === 'TSSatisfiesExpression' ||
    node.type === 'TSTypeAssertion' ||
    node.type === 'ParenthesizedExpression';
  return isWrapped ? bare(child(node, 'expression')!) : node;
}

export function isMember(node: Node): boolean {
  return node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression';
}

export function isCall(node: Node): boolean {
  return node.type === 'CallExpression' || node.type === 'OptionalCallExpression';
}

/** `name` of `x.name`, `x['name']`, `{ name }`, `#name`; undefined where it is computed. */
export function keyOf(node: Node): string | undefined {
  const key = child(node, 'key') ?? child(node, 'property');
  if (key === undefined) return undefined;
  if (key.type === 'StringLiteral') return textOf(key, 'value');
  if (key.type === 'PrivateName') return `#${textOf(child(key, 'id')!, 'name')!}`;
  if (node['computed'] === true) return undefined;
  return key.type === 'Identifier' ? textOf(key, 'name') : undefined;
}
