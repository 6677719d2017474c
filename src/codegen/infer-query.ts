import { SqlFileError, type SqlFileProblem } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import {
  fullName,
  fullVariant,
  renderQuery,
  splitScript,
  type ParameterDefinition,
  type QueryDefinition,
  type RenderedQuery,
  type SqlQuery,
  type Variant,
} from '../sqlfile/index.ts';
import { placeOfFailure } from './place-of-failure.ts';
import type { ColumnShape, RowCount, ShapeReader, StatementShape, ValueShape } from './query-shape.ts';

/** What a query takes and gives on one dialect. */
export interface QueryTypes {
  readonly name: string;
  readonly dialect: Dialect;
  readonly rows: RowCount;
  readonly columns: readonly ColumnShape[];
  /** By the index of the definition's parameters. */
  readonly parameters: readonly ValueShape[];
  readonly tablesRead: readonly string[];
  readonly tablesWritten: readonly string[];
  /** Things that may not be intended, but are not faults. */
  readonly warnings: readonly SqlFileProblem[];
}

/** What stands for a parameter of which nothing is known. */
const ANY_PARAMETER: ValueShape = { type: 'SqlValue', nullable: false };
const NO_SHAPE: StatementShape = {
  writes: true,
  rows: 'none',
  columns: [],
  parameters: [],
  tablesRead: [],
  tablesWritten: [],
};

/**
 * Prepares every text that a query may become against a real schema, and joins what the engine says of them.
 * @throws SqlFileError with the place in the file where the engine finds a fault, or where the mark is wrong
 */
export async function inferQuery(
  query: SqlQuery,
  dialect: Dialect,
  reader: ShapeReader,
): Promise<QueryTypes> {
  const { definition } = query;
  if (definition.operation === 'script') {
    return typesOf(query, dialect, { shape: await scriptShape(query, dialect, reader), parameters: [] });
  }
  let shape: StatementShape | undefined;
  const parameters: (ValueShape | undefined)[] = definition.parameters.map(() => undefined);
  for (const variant of variantsOf(definition)) {
    const rendered = renderQuery(definition, dialect, variant);
    const found = await describe(query, { rendered, text: rendered.text, offset: 0 }, reader);
    rendered.slots.forEach(({ parameter }, index) => (parameters[parameter] ??= found.parameters[index]));
    shape = shape === undefined ? found : joinShapes(query, shape, found);
  }
  return typesOf(query, dialect, { shape: shape!, parameters });
}

/**
 * Its tables, where each statement is about such as are there already. Up to the first statement that may
 * change the schema, each has to be right; those behind it may be about what is not there yet.
 */
async function scriptShape(query: SqlQuery, dialect: Dialect, reader: ShapeReader): Promise<StatementShape> {
  const { definition } = query;
  const rendered = renderQuery(definition, dialect, fullVariant(definition));
  let tablesRead: readonly string[] = [];
  let tablesWritten: readonly string[] = [];
  let isSchemaKnown = true;
  let offset = 0;
  for (const text of splitScript(rendered.text)) {
    offset = rendered.text.indexOf(text, offset);
    isSchemaKnown &&= ABOUT_ROWS.test(text);
    try {
      const shape = await describe(query, { rendered, text, offset }, reader);
      tablesRead = union(tablesRead, shape.tablesRead);
      tablesWritten = union(tablesWritten, shape.tablesWritten);
    } catch (error) {
      if (isSchemaKnown) throw error;
      // What an earlier statement makes is not there: then nothing is said, and the script itself will tell.
      return NO_SHAPE;
    }
    offset += text.length;
  }
  return { ...NO_SHAPE, tablesRead, tablesWritten };
}

/** How statements begin that leave the schema as it is. */
const ABOUT_ROWS = /^(?:delete|insert|replace|select|update|values|with)\b/i;

/**
 * With all parts, with none, with each part alone, and with each choice: what is true of these is true of
 * all.
 */
function variantsOf(definition: QueryDefinition): Variant[] {
  const full = fullVariant(definition);
  const { optionals, choices } = definition;
  const none = { ...full, optionals: optionals.map(() => false) };
  const alone = optionals.map((_, only) => ({
    ...full,
    optionals: optionals.map((__, index) => index === only),
  }));
  const chosen = choices.flatMap(({ texts }, index) =>
    [...texts.keys()].slice(1).map((key) => ({ ...none, choices: full.choices.with(index, key) })),
  );
  return [full, ...(optionals.length === 0 ? [] : [none, ...(optionals.length > 1 ? alone : [])]), ...chosen];
}

/** A statement of a rendered query; of a script, one of several. */
interface RenderedStatement {
  readonly rendered: RenderedQuery;
  readonly text: string;
  /** Where it begins in the query. */
  readonly offset: number;
}

async function describe(
  query: SqlQuery,
  { rendered, text, offset }: RenderedStatement,
  reader: ShapeReader,
): Promise<StatementShape> {
  try {
    return await reader.shapeOf(text);
  } catch (error) {
    const { source, definition } = query;
    const place = placeOfFailure(error, text);
    const start = place === undefined ? definition.bodyStart : rendered.sourceOffset(offset + place.start);
    const end = start + (place === undefined ? 1 : place.end - place.start);
    const said = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    const message = said.replaceAll(/\$(\d+)/g, (placeholder, number) => {
      const slot = rendered.slots[Number(number) - 1];
      return slot === undefined ? placeholder : `:${definition.parameters[slot.parameter]!.name}`;
    });
    throw new SqlFileError([source.problem(`${fullName(query)}: ${message}`, start, end)], { cause: error });
  }
}

function joinShapes(query: SqlQuery, one: StatementShape, other: StatementShape): StatementShape {
  const names = ({ columns }: StatementShape) => columns.map(({ name }) => name).join();
  if (names(one) !== names(other)) {
    throw faultAt(query, 'gives other columns when optional parts are left out or another choice is made');
  }
  return {
    writes: one.writes || other.writes,
    rows: joinRows(one.rows, other.rows),
    columns: one.columns.map((column, index) => ({
      name: column.name,
      type: joinTypes(column.type, other.columns[index]!.type),
      nullable: column.nullable || other.columns[index]!.nullable,
    })),
    parameters: [],
    tablesRead: union(one.tablesRead, other.tablesRead),
    tablesWritten: union(one.tablesWritten, other.tablesWritten),
  };
}

function joinRows(one: RowCount, other: RowCount): RowCount {
  if (one === other) return one;
  return one === 'many' || other === 'many' ? 'many' : 'optional';
}

interface Inferred {
  readonly shape: StatementShape;
  readonly parameters: readonly (ValueShape | undefined)[];
}

function typesOf(query: SqlQuery, dialect: Dialect, { shape, parameters }: Inferred): QueryTypes {
  checkOperation(query, shape);
  const { definition } = query;
  return {
    name: fullName(query),
    dialect,
    rows: shape.rows,
    columns: shape.columns.map((column) => markedColumn(definition, column)),
    parameters: definition.parameters.map((parameter, index) =>
      markedParameter(parameter, parameters[index]),
    ),
    tablesRead: [...shape.tablesRead].sort(),
    tablesWritten: [...shape.tablesWritten].sort(),
    warnings: warningsOf(query, shape),
  };
}

/** What the mark promises and the statement cannot deliver. */
function checkOperation(query: SqlQuery, { columns, writes }: StatementShape): void {
  const { definition, source } = query;
  const { operation } = definition;
  const hasRows = columns.length > 0;
  if ((operation === 'many' || operation === 'one' || operation === 'value') && !hasRows) {
    throw faultAt(query, 'gives no rows: mark it ! (affected rows), <! or *!, or let it return something');
  }
  if ((operation === 'affected' || operation === 'each') && !writes) {
    throw faultAt(query, 'writes nothing: without a mark it gives rows, with ^ one row, with $ one value');
  }
  const doubled = columns.find(
    ({ name }, index) => columns.findIndex((other) => other.name === name) !== index,
  );
  if (doubled !== undefined && operation !== 'value') {
    throw faultAt(query, `has two columns named ${doubled.name}: name one of them with AS`);
  }
  const unknown = definition.columns.find(({ name }) => columns.every((column) => column.name !== name));
  if (unknown !== undefined && operation !== 'script') {
    const message = `${fullName(query)} has no column ${unknown.name}.`;
    throw new SqlFileError([source.problem(message, unknown.offset, unknown.offset + unknown.name.length)]);
  }
}

function warningsOf(query: SqlQuery, { rows, columns }: StatementShape): SqlFileProblem[] {
  const { definition, source } = query;
  const at = (message: string) =>
    source.problem(message, definition.offset, definition.offset + definition.name.length);
  const isFirstOnly = definition.operation === 'one' || definition.operation === 'value';
  const isRead = !/^\s*(insert|update|delete)/i.test(
    source.text.slice(definition.bodyStart, definition.bodyStart + 20),
  );
  const warnings: SqlFileProblem[] = [];
  if (isFirstOnly && rows === 'many' && isRead) {
    warnings.push(
      at(`${fullName(query)} may find several rows, and gives the first: add "limit 1" if that is meant.`),
    );
  }
  if (definition.operation === 'value' && columns.length > 1) {
    warnings.push(at(`${fullName(query)} has ${columns.length} columns, and gives the first.`));
  }
  return warnings;
}

function markedColumn({ columns }: QueryDefinition, column: ColumnShape): ColumnShape {
  const mark = columns.find(({ name }) => name === column.name);
  const type = mark?.type ?? column.type;
  // A type that was written in the file says itself whether it includes null.
  const inferred = mark?.type !== undefined && column.type === 'unknown' ? false : column.nullable;
  return { name: column.name, type, nullable: mark?.nullable ?? inferred };
}

function markedParameter(
  { type, nullable, isList }: ParameterDefinition,
  inferred: ValueShape = ANY_PARAMETER,
): ValueShape {
  // PostgreSQL says of a list that it is an array.
  const element = isList ? inferred.type.replace(/^readonly \(?(.*?)\)?\[\]$/, '$1') : inferred.type;
  return { type: type ?? element, nullable: !isList && (nullable ?? inferred.nullable) };
}

function faultAt(query: SqlQuery, what: string): SqlFileError {
  const { source, definition } = query;
  const end = definition.offset + definition.name.length;
  return new SqlFileError([source.problem(`${fullName(query)} ${what}.`, definition.offset, end)]);
}

/** One type or the other, each of their members once. */
export function joinTypes(one: string, other: string): string {
  if (one === other) return one;
  if (one === 'unknown' || other === 'unknown') return 'unknown';
  const members = [...new Set([...one.split(' | '), ...other.split(' | ')])].filter(
    (type) => type !== 'never',
  );
  return members.sort().join(' | ');
}

export function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])].sort();
}
