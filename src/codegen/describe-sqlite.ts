import { ANYTHING, mayBeNull, type AbstractValue } from './abstract-value.ts';
import { interpret, type ProgramFacts } from './interpreter.ts';
import { UnknownInstruction } from './program-view.ts';
import type { Instruction } from './instructions.ts';
import type { ColumnShape, RowCount, ShapeReader, ShapeSource, StatementShape } from './query-shape.ts';
import { readSqliteTrees, type StoredTree } from './sqlite-schema.ts';
import { typeOfClasses } from './sqlite-types.ts';

/**
 * Describes statements by the program that SQLite makes of them: what its instructions can give says which
 * columns may be NULL, of what type expressions are, how many rows there may be, and what parameters are
 * compared with or stored in. Views, joins, subqueries and RETURNING are in it as they are run.
 */
export class SqliteShapeReader implements ShapeReader {
  readonly #source: ShapeSource;
  #trees: Promise<ReadonlyMap<number, StoredTree>> | undefined;

  constructor(source: ShapeSource) {
    this.#source = source;
  }

  async shapeOf(text: string): Promise<StatementShape> {
    const described = await this.#source.describe(text);
    this.#trees ??= readSqliteTrees(this.#source);
    const { columns, parameters, writes, tablesRead, tablesWritten } = described;
    const facts = await this.#facts(text, parameters.length);
    const values = facts?.columns?.length === columns.length ? facts.columns : undefined;
    return {
      writes,
      tablesRead,
      tablesWritten,
      rows: rowCount(columns.length, facts),
      columns: columns.map(({ name }, index) => columnShape(name, values?.[index], facts)),
      parameters: parameters.map((_, index) => facts?.evidence.shapeOf(index + 1)),
    };
  }

  /** Undefined for a program with unknown instructions: then nothing can be said. */
  async #facts(text: string, parameters: number): Promise<ProgramFacts | undefined> {
    const listing = await this.#source.all<Instruction>(
      `explain ${text}`,
      Array.from({ length: parameters }, () => null),
    );
    // Behind the program come those of triggers, each with addresses of its own.
    const end = listing.findIndex(({ addr }, index) => addr !== index);
    try {
      return interpret(end === -1 ? listing : listing.slice(0, end), await this.#trees!);
    } catch (error) {
      if (error instanceof UnknownInstruction) return undefined;
      throw error;
    }
  }
}

function rowCount(columns: number, facts: ProgramFacts | undefined): RowCount {
  if (columns === 0) return 'none';
  if (facts === undefined || facts.mayGiveSeveral) return 'many';
  return facts.alwaysGivesOne ? 'one' : 'optional';
}

function columnShape(
  name: string,
  value: AbstractValue | undefined,
  facts: ProgramFacts | undefined,
): ColumnShape {
  if (value !== undefined && value.classes !== 0) {
    return { name, type: typeOfClasses(value.classes), nullable: mayBeNull(value) };
  }
  // A query that is known never to give a row cannot be wrong about one.
  const classes = facts !== undefined && facts.columns === undefined ? 0 : ANYTHING;
  return { name, type: typeOfClasses(classes), nullable: classes !== 0 };
}
