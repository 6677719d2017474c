import type { StatementTables } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import { CostModel } from './cost-model.ts';
import { unknownFunctions } from './known-functions.ts';
import { assertNoTransactionControl, leadingWord, wordsOf } from './statement-words.ts';

/** Texts whose plan is kept. */
const MAX_PLANS = 2_000;

/**
 * What the engine takes a text for, by the word that it begins with and by what the server has said about it
 * since.
 */
export type StatementKind =
  /**
   * Begins as a read does. A function that it calls may still write; where it must not, the server refuses
   * it.
   */
  | 'read'
  /** INSERT, UPDATE, DELETE, MERGE, or a WITH around one of them. */
  | 'write'
  /** Anything else: definitions, maintenance, settings. */
  | 'other';

const READS: ReadonlySet<string> = new Set(['select', 'values', 'table', 'with', 'show', 'explain']);
const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge']);

/** Leading words of statements that change the session for whoever uses the connection next. */
const SESSION_WORDS: ReadonlySet<string> = new Set([
  'set',
  'reset',
  'listen',
  'unlisten',
  'load',
  'prepare',
  'declare',
  'discard',
  'do',
  'call',
  'security',
]);
/** Leading words of statements that change no data. */
const IDLE_WORDS: ReadonlySet<string> = new Set([
  'set',
  'reset',
  'show',
  'listen',
  'unlisten',
  'notify',
  'load',
  'discard',
  'deallocate',
  'analyze',
  'analyse',
  'vacuum',
  'checkpoint',
  'lock',
]);
/** With ALL behind them, they drop prepared statements. */
const FORGETTING_WORDS: ReadonlySet<string> = new Set(['deallocate', 'discard']);
/** Anywhere in a text, they may do the same. */
const SESSION_MARKS = /\b(?:temp|temporary|pg_temp|set_config|setseed|pg_(?:try_)?advisory_lock\w*)\b/i;
const LOCKS = /\bfor\s+(?:no\s+key\s+)?(?:update|share|key\s+share)\b/i;

export interface TouchedTables extends StatementTables {
  /** False where a trigger may write to tables that cannot be named. */
  readonly isComplete: boolean;
  /** False where all functions that it calls promise to change nothing: they are stable or immutable. */
  readonly callsVolatile: boolean;
}

/** What the engine knows of one SQL text. */
export class Plan {
  readonly text: string;
  readonly kind: StatementKind;
  /** Only looks, or sets something for the session: no data are changed. */
  readonly isIdle: boolean;
  /** It may leave something behind in the session. */
  readonly leavesTraces: boolean;
  readonly cost: CostModel = new CostModel();
  /** It makes the server forget what is prepared on the connection. */
  readonly forgetsStatements: boolean;
  /** False where it locks rows, or turned out to write: others that share its connection would wait. */
  mayShare: boolean;
  /** What it touches, once the server was asked. */
  tables: TouchedTables | undefined;
  /**
   * It has run where the server refuses every write. A function that it calls may still write another time.
   */
  hasOnlyRead = false;
  /** It was refused there. */
  hasWritten = false;
  readonly #isReadOnly: boolean;
  #uses = 0;
  readonly #isNamed: boolean;
  /**
   * The functions that it may call and that are not known to be harmless; undefined where they cannot be
   * named.
   */
  readonly functions: readonly string[] | undefined;

  /** @param isReadOnly whether the server refuses every write wherever it runs */
  constructor(text: string, isNamed: boolean, isReadOnly = false) {
    assertNoTransactionControl(text);
    this.text = text;
    const first = leadingWord(text);
    if (first === 'copy') throw copyError();
    this.kind = kindOf(first, text);
    this.isIdle = IDLE_WORDS.has(first);
    this.leavesTraces = SESSION_WORDS.has(first) || SESSION_MARKS.test(text);
    this.forgetsStatements = FORGETTING_WORDS.has(first) && wordsOf(text).includes('all');
    this.mayShare = this.kind === 'read' && !this.leavesTraces && !LOCKS.test(text);
    this.#isNamed = isNamed;
    this.#isReadOnly = isReadOnly && this.kind === 'read';
    this.functions = this.kind === 'read' ? unknownFunctions(text) : [];
  }

  /** Whether it may have a lasting effect, where the server lets it. */
  get mayWrite(): boolean {
    if (this.#isReadOnly) return false;
    if (this.kind !== 'read' || this.hasWritten) return true;
    return this.callsUnknown && this.tables?.callsVolatile !== false;
  }

  /** The same as far as was seen, for those who can do with a guess. */
  get seemsToWrite(): boolean {
    return this.mayWrite && !this.hasOnlyRead;
  }

  /** A read whose words do not prove that it only reads. */
  get callsUnknown(): boolean {
    return this.functions === undefined || this.functions.length > 0;
  }

  /**
   * Whether it may be one of several reads up to one Sync, and so of one transaction: it calls nothing that
   * could keep a lock until that ends.
   */
  get mayJoin(): boolean {
    return this.mayShare && !this.callsUnknown;
  }

  /** A text that is used once is not worth questions about it. */
  get isUsedAgain(): boolean {
    return this.#uses > 1;
  }

  /** @returns whether the server should keep it under a name: what is used once would only fill its memory */
  noteUse(): boolean {
    this.#uses += 1;
    return this.#isNamed && this.#uses > 1 && this.kind !== 'other';
  }
}

/** https://www.postgresql.org/docs/current/wal-async-commit.html */
const EARLY_COMMITS = /\bset\b[^;]*\bsynchronous_commit\b|\bset_config\b/i;

/** The plans by text; the oldest is dropped, and made again when it is needed. */
export class PlanCache {
  /** Some text may have had commits answered before they were on disk, whatever the session was set to. */
  mayCommitEarly = false;
  readonly #plans = new Map<string, Plan>();
  readonly #isNamed: boolean;
  readonly #isReadOnly: boolean;

  /**
   * @param isNamed whether statements may be kept on the server under names
   * @param isReadOnly whether the server refuses every write on all connections, as on those to replicas
   */
  constructor(isNamed: boolean, isReadOnly = false) {
    this.#isNamed = isNamed;
    this.#isReadOnly = isReadOnly;
  }

  /** @throws UsageError where the text controls transactions */
  get(text: string): Plan {
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value!);
    const plan = new Plan(text, this.#isNamed, this.#isReadOnly);
    if (EARLY_COMMITS.test(text)) this.mayCommitEarly = true;
    this.#plans.set(text, plan);
    return plan;
  }

  /** The schema may have changed. */
  forgetTables(): void {
    for (const plan of this.#plans.values()) plan.tables = undefined;
  }
}

function kindOf(first: string, text: string): StatementKind {
  const isWrite = WRITES.has(first);
  if (!isWrite && !READS.has(first)) return 'other';
  const words = wordsOf(text);
  // Of a script, the first word says nothing about the rest.
  if (words.slice(0, -1).includes(';')) return 'other';
  if (isWrite) return 'write';
  const isPlain = first !== 'with' && first !== 'explain';
  if (!isPlain && words.some((word) => WRITES.has(word))) return 'write';
  // SELECT INTO creates a table.
  return words.includes('into') ? 'other' : 'read';
}

function copyError(): UsageError {
  return new UsageError('COPY is not sent as SQL: its data goes beside the statement.');
}
