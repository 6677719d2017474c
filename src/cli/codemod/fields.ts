import { child, isClass, isFunction, isMember, keyOf, textOf, walk, type Node } from './node.ts';
import type { Project } from './project.ts';

/** What the function's own `return` gives; not that of functions in it. */
export function returnsOf(fn: Node): Node[] {
  const body = child(fn, 'body');
  if (body === undefined) return [];
  if (body.type !== 'BlockStatement') return [body];
  const found: Node[] = [];
  walk(body, (node) => {
    if (isFunction(node) || isClass(node)) return false;
    const argument = node.type === 'ReturnStatement' ? child(node, 'argument') : undefined;
    if (argument !== undefined) found.push(argument);
    return undefined;
  });
  return found;
}

/** What is assigned to `this.name` in each class; parameters of its constructor that are fields too. */
export function fieldsOf(project: Project): Map<Node, Map<string, Node[]>> {
  const classes = new Map<Node, Map<string, Node[]>>();
  const add = (node: Node, name: string, value: Node): void => {
    const owner = classOf(project, node);
    if (owner === undefined) return;
    let fields = classes.get(owner);
    if (fields === undefined) classes.set(owner, (fields = new Map()));
    fields.set(name, [...(fields.get(name) ?? []), value]);
  };
  for (const { program } of project.modules) {
    walk(program, (node) => {
      if (node.type === 'TSParameterProperty') {
        const parameter = child(node, 'parameter')!;
        const name = parameter.type === 'AssignmentPattern' ? child(parameter, 'left')! : parameter;
        add(node, textOf(name, 'name')!, name);
      } else if (node.type === 'AssignmentExpression') {
        const left = child(node, 'left')!;
        const isOwn = isMember(left) && child(left, 'object')!.type === 'ThisExpression';
        const name = isOwn ? keyOf(left) : undefined;
        if (name !== undefined) add(node, name, child(node, 'right')!);
      }
      return undefined;
    });
  }
  return classes;
}

function classOf(project: Project, node: Node): Node | undefined {
  let outer: Node | undefined = node;
  while (outer !== undefined && !isClass(outer)) outer = project.parentOf(outer);
  return outer;
}
