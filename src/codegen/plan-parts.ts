import type { PlanNode } from './plan-facts.ts';

/**
 * Subqueries and common tables, by the names under which the rest of the plan asks for them; undefined for a
 * name that several have.
 */
export function namedParts(plan: PlanNode): ReadonlyMap<string, PlanNode | undefined> {
  const parts = new Map<string, PlanNode | undefined>();
  const open = [plan];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const name = node['Subplan Name'];
    if (name !== undefined) parts.set(name, parts.has(name) ? undefined : node);
    open.push(...(node.Plans ?? []));
  }
  return parts;
}
