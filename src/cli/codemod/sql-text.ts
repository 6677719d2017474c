import type { Evaluator } from './evaluator.ts';
import { bare, list, type Node } from './node.ts';
import type { Module } from './project.ts';

/** A statement that is written down in the program. */
export interface Literal {
  /** As it is in the file, between the quotes; what is put in while it runs is blanked out. */
  readonly text: string;
  readonly module: Module;
  /** Where `text` begins in the file. */
  readonly start: number;
}

/** The text behind an expression: written there, or in the one place where its name gets its value. */
export function literalOf(evaluator: Evaluator, expression: Node | undefined): Literal | undefined {
  if (expression === undefined) return undefined;
  const node = bare(expression);
  if (node.type === 'StringLiteral' || node.type === 'TemplateLiteral') return textIn(evaluator, node);
  if (node.type !== 'Identifier') return undefined;
  const sources = evaluator.bindingOf(node)?.sources ?? [];
  const [only] = sources;
  if (sources.length !== 1 || only?.kind !== 'expression' || only.path.length > 0) return undefined;
  const init = bare(only.node);
  return init.type === 'StringLiteral' || init.type === 'TemplateLiteral'
    ? textIn(evaluator, init)
    : undefined;
}

function textIn(evaluator: Evaluator, node: Node): Literal {
  const module = evaluator.project.moduleOf(node);
  const start = node.start + 1;
  let text = module.text.slice(start, node.end - 1);
  for (const hole of list(node, 'expressions')) {
    const [from, to] = [hole.start - start, hole.end - start];
    // Digits: nothing that opens or ends anything. `${` and `}` stay, which are none of SQL's either.
    text = text.slice(0, from) + '0'.repeat(to - from) + text.slice(to);
  }
  return { text, module, start };
}
