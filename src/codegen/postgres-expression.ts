import {
  atTop,
  closing,
  keyOf,
  OPERATORS,
  split,
  tokensOf,
  unquoted,
  withoutCast,
  withoutParentheses,
} from './expression-tokens.ts';
import { bare, type PlanFacts, type PlanNode } from './plan-facts.ts';

/** What the catalog says of columns, as `table.column`, quoted where SQL would quote them. */
export interface ColumnRules {
  /** Declared NOT NULL. */
  readonly notNull: ReadonlySet<string>;
  /** Of the type `jsonb`. */
  readonly json: ReadonlySet<string>;
}

/** What is known of the parts of a plan that expressions of another one name. */
export interface PlanParts {
  isWholeNotNull(scan: PlanNode): boolean;
  isValueNotNull(name: string, column: number): boolean;
  isColumnNotNull(name: string, column: number): boolean;
}

/** Strict functions of the server that give a value for every value: NULL comes of NULL alone. */
const STRICT: ReadonlySet<string> = new Set(
  `abs btrim ceil ceiling char_length character_length cardinality date_trunc floor initcap left length lower
  lpad ltrim md5 octet_length replace reverse right round rpad rtrim sign starts_with strpos substr trunc
  upper`.split(/\s+/),
);
/** Never NULL where they are given nothing that is. */
const NEVER_NULL: ReadonlySet<string> = new Set(
  `clock_timestamp cume_dist current_database dense_rank gen_random_uuid nextval now ntile percent_rank random
  rank row_number statement_timestamp transaction_timestamp version`.split(/\s+/),
);
/** Never NULL, whatever they are given; but for a whole list that is (VARIADIC). */
const TAKES_NULL: ReadonlySet<string> = new Set(
  `concat count json_build_array json_build_object jsonb_build_array jsonb_build_object num_nonnulls
  num_nulls`.split(/\s+/),
);
/** NULL only where no value was met. */
const AGGREGATES: ReadonlySet<string> = new Set(
  'avg bool_and bool_or every max min string_agg sum'.split(' '),
);
/** These take rows with NULL too: of a group there is always something. */
const COLLECTORS: ReadonlySet<string> = new Set('array_agg json_agg jsonb_agg'.split(' '));
const CONSTANT_WORDS: ReadonlySet<string> = new Set([
  'true',
  'false',
  'CURRENT_DATE',
  'CURRENT_TIMESTAMP',
  'CURRENT_USER',
  'SESSION_USER',
  'LOCALTIMESTAMP',
]);

/**
 * Reads expressions as EXPLAIN writes them: every operation in parentheses of its own, every name with its
 * table. Says only that something is not NULL; what it cannot read may be.
 */
export class ExpressionReader {
  readonly #facts: PlanFacts;
  readonly #catalog: ColumnRules;
  readonly #parts: PlanParts;
  readonly #nullable: ReadonlySet<string>;
  /** In a plan of one table its columns stand alone. */
  readonly #onlyAlias: string | undefined;

  constructor(facts: PlanFacts, catalog: ColumnRules, parts: PlanParts) {
    this.#facts = facts;
    this.#catalog = catalog;
    this.#parts = parts;
    this.#nullable = new Set([...facts.nullableOutputs].map((output) => keyOf(tokensOf(output) ?? [output])));
    const isAlone = facts.relations.size === 1 && !facts.hasLeftOut;
    this.#onlyAlias = isAlone ? facts.relations.keys().next().value : undefined;
  }

  isNotNull(expression: string): boolean {
    const tokens = tokensOf(bare(expression));
    return tokens !== undefined && this.#isTokensNotNull(tokens);
  }

  #isTokensNotNull(given: readonly string[]): boolean {
    const inner = withoutParentheses(given);
    const tokens = withoutCast(inner);
    if (tokens !== inner && this.#mayBeJson(tokens) && !isText(inner)) return false;
    const isComputedBelow = [inner, tokens].some((each) => this.#nullable.has(keyOf(each)));
    // Columns are judged by their tables; what is computed below an outer join may be missing above it.
    if (isComputedBelow && this.#columnOf(tokens) === undefined) return false;
    const [first] = tokens;
    if (first === undefined) return false;
    const column = this.#columnOf(tokens);
    if (column !== undefined) return column;
    if (tokens.length === 1) return /^(?:[EB]|U&)?'|^\d/.test(first) || CONSTANT_WORDS.has(first);
    if (first === 'CASE' && tokens.at(-1) === 'END') return this.#isCaseNotNull(tokens.slice(1, -1));
    if (first === 'EXISTS' || (first === 'NOT' && tokens.length > 1)) {
      return first === 'EXISTS' || this.#isTokensNotNull(tokens.slice(1));
    }
    const value = subqueryValue(tokens);
    if (value !== undefined) return this.#parts.isValueNotNull(value.name, value.column);
    if (first === 'ANY' || first === 'ALL') return this.#isComparisonNotNull(tokens);
    if (first === '-' || first === '+') return this.#isTokensNotNull(tokens.slice(1));
    if (tokens[1] === '(') return this.#isCallNotNull(first, tokens);
    return this.#isOperationNotNull(tokens);
  }

  /** Undefined when this is no column; false when it may be NULL. */
  #columnOf(tokens: readonly string[]): boolean | undefined {
    const isAlone = tokens.length === 1 && this.#onlyAlias !== undefined && /^["\p{L}_]/u.test(tokens[0]!);
    if (!isAlone && (tokens.length !== 3 || tokens[1] !== '.')) return undefined;
    const [alias, column] = isAlone ? [this.#onlyAlias, tokens[0]!] : [tokens[0]!, tokens[2]!];
    const isConstant = isAlone && CONSTANT_WORDS.has(column);
    if (isConstant) return undefined;
    const name = alias.startsWith('"') && !isAlone ? unquoted(alias) : alias;
    if (this.#facts.nullableAliases.has(name)) return false;
    const relation = this.#facts.relations.get(name);
    const isRequired = this.#facts.requiredColumns.has(`${name}.${column}`);
    const scan = this.#facts.scans.get(name);
    if (scan !== undefined) return isRequired || this.#parts.isWholeNotNull(scan);
    return relation !== undefined && (isRequired || this.#catalog.notNull.has(`${relation}.${column}`));
  }

  /**
   * `(ANY (t.id = (SubPlan 1).col1))`: not NULL where no comparison with a row is. That of an array looks
   * much the same, and may hold NULL.
   */
  #isComparisonNotNull(tokens: readonly string[]): boolean {
    if (tokens[1] !== '(' || closing(tokens, 1) !== tokens.length - 1) return false;
    const [compared, isOfRows] = this.#withoutRows(tokens.slice(2, -1));
    return isOfRows && this.#isTokensNotNull(compared);
  }

  /** With a value, or with NULL, in place of each column of a subquery. */
  #withoutRows(tokens: readonly string[]): [tokens: readonly string[], isOfRows: boolean] {
    const compared: string[] = [];
    for (let at = 0; at < tokens.length; at += 1) {
      const end = closing(tokens, at) + 2;
      const column = tokens[at] === '(' ? columnOfRows(tokens.slice(at, end + 1)) : undefined;
      if (column === undefined) compared.push(tokens[at]!);
      else {
        compared.push(this.#parts.isColumnNotNull(column.name, column.column) ? '0' : 'NULL');
        at = end;
      }
    }
    return [compared, compared.length < tokens.length && !compared.includes('SubPlan')];
  }

  /** From PostgreSQL 18 on, the cast of a JSON null is NULL: https://www.postgresql.org/docs/release/18.0/ */
  #mayBeJson(tokens: readonly string[]): boolean {
    return tokens.some((token, at) => {
      if (/jsonb?(?:_|$)/.test(token)) return true;
      const alias = tokens[at - 1] === '.' ? tokens[at - 2]! : this.#onlyAlias;
      const relation = this.#facts.relations.get(alias?.startsWith('"') ? unquoted(alias) : (alias ?? ''));
      return relation !== undefined && this.#catalog.json.has(`${relation}.${token}`);
    });
  }

  #isCallNotNull(written: string, tokens: readonly string[]): boolean {
    const name = written.startsWith('"') ? unquoted(written) : written;
    const end = closing(tokens, 1);
    const args = split(tokens.slice(2, end), ',');
    const rest = tokens.slice(end + 1);
    if (name === 'COALESCE' && rest.length === 0) return args.some((arg) => this.#isTokensNotNull(arg));
    if ((name === 'GREATEST' || name === 'LEAST') && rest.length === 0) {
      return args.some((arg) => this.#isTokensNotNull(arg));
    }
    const isWindow = rest[0] === 'OVER';
    const isCall = rest.length === 0 || isWindow || (name === 'count' && rest[0] === 'FILTER');
    if (TAKES_NULL.has(name)) return isCall && args.every(([first]) => first !== 'VARIADIC');
    if (NEVER_NULL.has(name))
      return isCall && args.every((arg) => arg.length === 0 || this.#isTokensNotNull(arg));
    if (rest.length > 0) return rest[0] === 'IS' ? isNullTest(rest) : false;
    const { isGrouped, hasAggregate } = this.#facts;
    if (COLLECTORS.has(name)) return hasAggregate && isGrouped && !tokens.includes('FILTER');
    if (AGGREGATES.has(name)) {
      return hasAggregate && isGrouped && this.#isTokensNotNull(withoutOrder(args[0] ?? []));
    }
    return STRICT.has(name) && args.every((arg) => this.#isTokensNotNull(arg));
  }

  #isCaseNotNull(tokens: readonly string[]): boolean {
    const branches = split(tokens, 'WHEN', 'THEN', 'ELSE');
    const words = wordsAtTop(tokens);
    if (!words.includes('ELSE')) return false;
    // The first piece is what is compared, or nothing; then follow conditions and results by turns.
    const results = words.flatMap((word, index) => (word === 'WHEN' ? [] : [branches[index + 1]!]));
    return results.every((result) => this.#isTokensNotNull(result));
  }

  /** `a + b`, `a IS NULL`; with exactly one operator outside of parentheses, as EXPLAIN writes it. */
  #isOperationNotNull(tokens: readonly string[]): boolean {
    let depth = 0;
    for (let at = 0; at < tokens.length; at += 1) {
      const token = tokens[at]!;
      if (token === '(') depth += 1;
      if (token === ')') depth -= 1;
      if (depth > 0) continue;
      if (token === 'IS') return isNullTest(tokens.slice(at));
      if (OPERATORS.has(token) && at > 0) {
        return this.#isTokensNotNull(tokens.slice(0, at)) && this.#isTokensNotNull(tokens.slice(at + 1));
      }
    }
    return false;
  }
}

interface SubqueryColumn {
  readonly name: string;
  /** From 0. */
  readonly column: number;
}

/** `SubPlan 1`, `(InitPlan 1).col1`: the value of a subquery. */
function subqueryValue(tokens: readonly string[]): SubqueryColumn | undefined {
  if (tokens.length === 2 && tokens[0] === 'SubPlan') return { name: tokens.join(' '), column: 0 };
  return tokens[1] === 'InitPlan' ? columnOf(tokens) : undefined;
}

/** `(SubPlan 1).col1`, `(hashed SubPlan 1).col1`: a column of each row of a subquery. */
function columnOfRows(tokens: readonly string[]): SubqueryColumn | undefined {
  const plain = tokens.filter((token) => token !== 'hashed');
  return plain[1] === 'SubPlan' ? columnOf(plain) : undefined;
}

function columnOf(tokens: readonly string[]): SubqueryColumn | undefined {
  const [, name, number] = /^\( (\w+ \d+) \) \. col(\d+)$/.exec(tokens.join(' ')) ?? [];
  return name === undefined ? undefined : { name, column: Number(number) - 1 };
}

/** A JSON null as text is the word. */
function isText(tokens: readonly string[]): boolean {
  return tokens.at(-2) === '::' && /^(?:text|jsonb?)$/.test(tokens.at(-1)!);
}

function isNullTest(tokens: readonly string[]): boolean {
  const test = tokens.slice(0, 4).join(' ');
  return /^IS (NOT )?(NULL|TRUE|FALSE|UNKNOWN)$/.test(test) || /^IS (NOT )?DISTINCT FROM/.test(test);
}

function withoutOrder(tokens: readonly string[]): readonly string[] {
  const at = tokens.indexOf('ORDER');
  const inner = at === -1 ? tokens : tokens.slice(0, at);
  return inner[0] === 'DISTINCT' ? inner.slice(1) : inner;
}

function wordsAtTop(tokens: readonly string[]): string[] {
  const words: string[] = [];
  atTop(tokens, (token, depth) => {
    if (depth === 0 && (token === 'WHEN' || token === 'THEN' || token === 'ELSE')) words.push(token);
  });
  return words;
}
