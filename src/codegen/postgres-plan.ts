import { keyOf, tokensOf } from './expression-tokens.ts';
import { namedParts } from './plan-parts.ts';
import { hasSeveralGroups, PlanFacts, UNIONS, type PlanNode } from './plan-facts.ts';
import { inputsOf, PlanRows, type RowRules } from './plan-rows.ts';
import { ExpressionReader, type ColumnRules } from './postgres-expression.ts';

export interface PlanRules extends ColumnRules {
  readonly rules: RowRules;
  /** Whether the server writes `(SubPlan 1)` for a subquery's value alone, as it does from version 17 on. */
  readonly tellsSubqueries: boolean;
}

/** These give the columns of their one input, or something computed of them. */
const PASSING: ReadonlySet<string> = new Set([
  'Aggregate',
  'Gather',
  'Gather Merge',
  'Incremental Sort',
  'Limit',
  'LockRows',
  'Materialize',
  'Result',
  'Sort',
  'Unique',
  'WindowAgg',
]);
/** EXPLAIN never shows the outputs of these: https://www.postgresql.org/docs/current/sql-explain.html */
const SILENT: ReadonlySet<string> = new Set([...UNIONS, 'Foreign Scan', 'ModifyTable', 'Recursive Union']);

/**
 * Says of the columns of a plan which may be NULL. Everything that is not known to be otherwise may.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
export class OutputNullability {
  readonly #catalog: PlanRules;
  readonly #parts: ReadonlyMap<string, PlanNode | undefined>;
  readonly #rows: PlanRows;
  readonly #columns: readonly boolean[];
  /** Of common tables, once they are known. */
  readonly #known = new Map<PlanNode, readonly boolean[]>();
  /** Recursive common tables while it is being shown that NULL does not come of what is not NULL. */
  readonly #assumed = new Set<string>();

  constructor(plan: PlanNode, catalog: PlanRules) {
    this.#catalog = catalog;
    this.#parts = namedParts(plan);
    this.#rows = new PlanRows(catalog.rules, false, this.#parts);
    this.#columns = this.#notNull(plan);
  }

  mayBeNull(index: number): boolean {
    return this.#columns[index] !== true;
  }

  /** Whether no column is NULL that is read from a common table or a subquery, whatever its name is. */
  isWholeNotNull(scan: PlanNode): boolean {
    const name = scan['CTE Name'] ?? '';
    if (scan['Node Type'] === 'WorkTable Scan') return this.#assumed.has(name);
    const source = scan['Node Type'] === 'CTE Scan' ? this.#parts.get(`CTE ${name}`) : inputsOf(scan)[0];
    return source !== undefined && isWhole(this.#notNull(source));
  }

  /** Whether a value is never NULL that a subquery gives where one value is asked for. */
  isValueNotNull(name: string, column: number): boolean {
    const part = this.#parts.get(name);
    if (part === undefined || !this.#catalog.tellsSubqueries) return false;
    // EXISTS asks for no columns at all.
    const isTest = part.Output === undefined && !SILENT.has(part['Node Type']);
    if (isTest) return name.startsWith('InitPlan');
    return this.#rows.countPart(part) === 'one' && this.isColumnNotNull(name, column);
  }

  /** The same for each of its rows, of which there need be none. */
  isColumnNotNull(name: string, column: number): boolean {
    const part = this.#parts.get(name);
    return part !== undefined && this.#notNull(part)[column] === true;
  }

  /** For each column whether it is never NULL. */
  #notNull(node: PlanNode): readonly boolean[] {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const columns = this.#read(node);
    // What was found under an assumption is not known without it.
    if (this.#assumed.size === 0) this.#known.set(node, columns);
    return columns;
  }

  #read(node: PlanNode): readonly boolean[] {
    const type = node['Node Type'];
    const inputs = inputsOf(node);
    if (UNIONS.has(type)) return inAll(inputs.map((input) => this.#notNull(input)));
    // Every row that comes out is one of the first input.
    if (type === 'SetOp') return inputs[0] === undefined ? [] : this.#notNull(inputs[0]);
    if (type === 'Recursive Union') return this.#recursive(node, inputs);
    const facts = new PlanFacts();
    facts.read(node);
    if (!facts.isMixed) return this.#judge(node, facts);
    const isPassing = PASSING.has(type) && inputs.length === 1 && !hasSeveralGroups(node);
    return isPassing ? this.#passed(node, inputs[0]!) : [];
  }

  #judge({ Output: output = [] }: PlanNode, facts: PlanFacts): readonly boolean[] {
    const reader = new ExpressionReader(facts, this.#catalog, this);
    return output.map((expression) => reader.isNotNull(expression));
  }

  /** Above a union its columns bear the names that they have in its first input. */
  #passed({ Output: output = [] }: PlanNode, input: PlanNode): readonly boolean[] {
    const below = this.#notNull(input);
    const names = namesOf(input).map(textKey);
    const reader = new ExpressionReader(new PlanFacts(), this.#catalog, this);
    return output.map((expression) => {
      const key = textKey(expression);
      const places = names.flatMap((name, place) => (name === key ? [place] : []));
      return places.length > 0
        ? places.every((place) => below[place] === true)
        : reader.isNotNull(expression);
    });
  }

  /** By induction: what it begins with is not NULL, and of rows that are not comes no other. */
  #recursive(node: PlanNode, [start, step]: readonly PlanNode[]): readonly boolean[] {
    const name = node['Subplan Name']?.replace(/^CTE /, '');
    if (name === undefined || start === undefined || step === undefined) return [];
    const columns = this.#notNull(start);
    if (!isWhole(columns) || this.#parts.get(`CTE ${name}`) !== node) return [];
    this.#assumed.add(name);
    const isKept = isWhole(this.#notNull(step));
    this.#assumed.delete(name);
    return isKept ? columns : [];
  }
}

function isWhole(columns: readonly boolean[]): boolean {
  return columns.length > 0 && columns.every(Boolean);
}

function inAll(inputs: readonly (readonly boolean[])[]): readonly boolean[] {
  const [first = [], ...others] = inputs;
  return first.map((isNotNull, index) => isNotNull && others.every((other) => other[index] === true));
}

function namesOf(node: PlanNode): readonly string[] {
  const [first] = inputsOf(node);
  return UNIONS.has(node['Node Type']) && first !== undefined ? namesOf(first) : (node.Output ?? []);
}

function textKey(expression: string): string {
  return keyOf(tokensOf(expression) ?? [expression]);
}
