import { fullName, toPascalCase, type Operation, type SqlQuery, type SqlSource } from '../sqlfile/index.ts';
import { joinTypes, union, type QueryTypes } from './infer-query.ts';
import type { ColumnShape, ValueShape } from './query-shape.ts';

/** One query, as one module knows it: its definition, and its types on each dialect. */
export interface TypedQuery {
  readonly query: SqlQuery;
  /** Its file, with a path that is the same on every machine. */
  readonly file: string;
  /** One at least. */
  readonly types: readonly QueryTypes[];
}

export interface ModuleInput {
  readonly queries: readonly TypedQuery[];
  /** The files that the queries come from, with paths that are the same on every machine. */
  readonly sources: readonly SqlSource[];
  /** What the module imports millpond's types from. @default 'millpond/queries' */
  readonly importFrom?: string | undefined;
}

const KINDS: Readonly<Record<Operation, string>> = {
  many: 'ManyQuery',
  one: 'OneQuery',
  value: 'ValueQuery',
  affected: 'AffectedQuery',
  returning: 'ReturningQuery',
  each: 'EachQuery',
  script: 'ScriptQuery',
};

/** Of a statement that gives one row, whatever is in the tables. */
const EXACT_KINDS: Readonly<Partial<Record<Operation, string>>> = {
  one: 'ExactlyOneQuery',
  value: 'ExactValueQuery',
  returning: 'ExactReturningQuery',
};

/** The module for a folder of queries. The same input gives the same text, to the byte. */
export function writeModule({ queries, sources, importFrom = 'millpond/queries' }: ModuleInput): string {
  const sorted = [...queries].sort((one, other) => (fullName(one.query) < fullName(other.query) ? -1 : 1));
  const rows = new RowNames();
  const tree = writeTree(sorted, rows);
  const count = sources.length === 1 ? '1 file' : `${sources.length} files`;
  const body = `${rows.interfaces()}/** The queries of ${count}. */
export interface Queries ${tree}
`;
  const names = ['SqlValue', ...Object.values(KINDS), ...Object.values(EXACT_KINDS)]
    .filter((name) => new RegExp(`\\b${name}\\b`).test(body))
    .sort();
  const imports = [
    'bindQueries',
    ...['BindOptions', 'QueryDatabase', 'SqlSource', ...names].map((name) => `type ${name}`),
  ];
  return `// Written by "millpond generate". Change the SQL and run it again.
import {
${imports.map((name) => `  ${name},`).join('\n')}
} from '${importFrom}';

${body}
/** The queries, on a database. */
export function createQueries(db: QueryDatabase, options?: BindOptions): Queries {
  return bindQueries<Queries>(db, SOURCES, options);
}

const SOURCES: readonly SqlSource[] = [
${sources.map(writeSource).join('')}];
`;
}

function writeSource({ file, folders, text }: SqlSource): string {
  const literal = text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  return `  {
    file: ${quote(file)},
    folders: [${folders.map(quote).join(', ')}],
    text: \`${literal}\`,
  },
`;
}

/** Interfaces of rows: by the query's name, or by the record class that several may share. */
class RowNames {
  readonly #bodies = new Map<string, string>();

  /** The name for a row of these columns. */
  nameFor({ query }: TypedQuery, columns: readonly ColumnShape[]): string {
    const body = columns
      .map((column) => `  readonly ${property(column.name)}: ${typeOf(column)};\n`)
      .join('');
    const own = `${[...query.namespace, query.definition.name].map(toPascalCase).join('')}Row`;
    const { recordClass } = query.definition;
    const shared = recordClass === undefined ? own : toPascalCase(recordClass);
    const isFree = !RESERVED.has(shared) && (this.#bodies.get(shared) ?? body) === body;
    let name = isFree ? shared : own;
    while ((this.#bodies.get(name) ?? body) !== body) name += '_';
    this.#bodies.set(name, body);
    return name;
  }

  interfaces(): string {
    return [...this.#bodies]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, body]) => `export interface ${name} {\n${body}}\n\n`)
      .join('');
  }
}

/** Names that the module already uses. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['Queries', 'SOURCES', 'BindOptions', 'QueryDatabase', 'SqlSource', 'SqlValue', 'Date', 'Uint8Array'],
  ...[...Object.values(KINDS), ...Object.values(EXACT_KINDS)],
]);

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly queries: Map<string, TypedQuery>;
}

function writeTree(queries: readonly TypedQuery[], rows: RowNames): string {
  const root: Folder = { folders: new Map(), queries: new Map() };
  for (const typed of queries) {
    let folder = root;
    for (const name of typed.query.namespace) {
      let inner = folder.folders.get(name);
      if (inner === undefined) folder.folders.set(name, (inner = { folders: new Map(), queries: new Map() }));
      folder = inner;
    }
    folder.queries.set(typed.query.definition.name, typed);
  }
  return writeFolder(root, rows, '');
}

function writeFolder({ folders, queries }: Folder, rows: RowNames, indent: string): string {
  const inner = `${indent}  `;
  const members = [
    ...[...queries].map(([name, typed]) => {
      const comment = commentOf(typed).map((line) => `${inner} *${line === '' ? '' : ` ${line}`}\n`);
      const doc = `${inner}/**\n${comment.join('')}${inner} */\n`;
      return `${doc}${inner}readonly ${property(name)}: ${queryType(typed, rows)};\n`;
    }),
    ...[...folders].map(
      ([name, folder]) => `${inner}readonly ${property(name)}: ${writeFolder(folder, rows, inner)};\n`,
    ),
  ];
  return `{\n${members.join('')}${indent}}`;
}

function commentOf({ query, types, file }: TypedQuery): string[] {
  const { documentation, offset } = query.definition;
  const read = types.reduce<string[]>((tables, { tablesRead }) => union(tables, tablesRead), []);
  const written = types.reduce<string[]>((tables, { tablesWritten }) => union(tables, tablesWritten), []);
  const { line } = query.source.placeOf(offset);
  const facts = [
    read.length > 0 ? `Reads ${read.join(', ')}.` : '',
    written.length > 0 ? `Writes ${written.join(', ')}.` : '',
    `${file}:${line}`,
  ].filter((fact) => fact !== '');
  const lines = documentation === '' ? [] : [...documentation.split('\n'), ''];
  return [...lines, facts.join(' ')].map((text) => text.replaceAll('*/', '* /'));
}

function queryType(typed: TypedQuery, rows: RowNames): string {
  const { operation } = typed.query.definition;
  if (operation === 'script') return KINDS.script;
  const params = paramsType(typed);
  if (operation === 'affected' || operation === 'each') return `${KINDS[operation]}<${params}>`;
  const isOne = typed.types.every((types) => types.rows === 'one');
  const kind = (isOne ? EXACT_KINDS[operation] : undefined) ?? KINDS[operation];
  return `${kind}<${params}, ${resultType(typed, rows)}>`;
}

function resultType(typed: TypedQuery, rows: RowNames): string {
  const { operation } = typed.query.definition;
  const [{ columns }] = typed.types as [QueryTypes];
  const isValue = operation === 'value' || (operation === 'returning' && columns.length < 2);
  if (!isValue) return rows.nameFor(typed, joinedColumns(typed));
  // A value is the first column, whatever each dialect calls it; without RETURNING it is SQLite's last id.
  return typeOf(typed.types.map((types) => types.columns[0] ?? LAST_ID).reduce(joinedColumn));
}

const LAST_ID: ColumnShape = { name: '', type: 'number | bigint', nullable: false };

/** On several dialects: what is true on each of them. */
function joinedColumns({ types }: TypedQuery): readonly ColumnShape[] {
  const [first, ...others] = types;
  return others.reduce<readonly ColumnShape[]>(
    (joined, { columns }) =>
      joined.map((column) => {
        const other = columns.find(({ name }) => name === column.name);
        return other === undefined
          ? { ...column, type: 'unknown', nullable: true }
          : joinedColumn(column, other);
      }),
    first!.columns,
  );
}

function joinedColumn(one: ColumnShape, other: ColumnShape): ColumnShape {
  const nullable = one.nullable || other.nullable;
  return { name: one.name, type: joinTypes(one.type, other.type), nullable };
}

interface Property {
  readonly name: string;
  readonly isOptional: boolean;
  readonly type: string;
}

function paramsType({ query, types }: TypedQuery): string {
  const { parameters, optionals, choices } = query.definition;
  const properties: Property[] = [];
  const objects = new Map<string, { isOptional: boolean; readonly members: string[] }>();
  parameters.forEach(({ name, path, isList, isOptional }, index) => {
    const type = joinedParameter(types.map((each) => each.parameters[index]!));
    const written = isList ? `readonly ${type.includes(' ') ? `(${type})` : type}[]` : type;
    if (path.length === 0) {
      properties.push({ name, isOptional, type: written });
      return;
    }
    const nested = path
      .toReversed()
      .reduce((inner, part) => `{ readonly ${property(part)}: ${inner} }`, written);
    const known = objects.get(name);
    if (known === undefined) objects.set(name, { isOptional, members: [nested] });
    else {
      known.isOptional &&= isOptional;
      known.members.push(nested);
    }
  });
  for (const [name, { isOptional, members }] of objects)
    properties.push({ name, isOptional, type: members.join(' & ') });
  for (const { flag } of optionals)
    if (flag !== undefined) properties.push({ name: flag, isOptional: true, type: 'boolean' });
  for (const { name, texts } of choices) {
    properties.push({ name, isOptional: true, type: [...texts.keys()].map(quote).join(' | ') });
  }
  const unique = properties.filter(
    ({ name }, index) => properties.findIndex((other) => other.name === name) === index,
  );
  if (unique.length === 0) return 'void';
  const members = unique.map(
    ({ name, isOptional, type }) =>
      `readonly ${property(name)}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | undefined' : ''}`,
  );
  return `{ ${members.join('; ')} }`;
}

/** What every dialect takes, or, where they have nothing in common, what any of them takes. */
function joinedParameter(shapes: readonly ValueShape[]): string {
  const known = shapes.filter(({ type }) => type !== 'SqlValue');
  const [first, ...others] = known.length === 0 ? shapes : known;
  const members = first!.type.split(' | ');
  const common = members.filter((member) => others.every(({ type }) => type.split(' | ').includes(member)));
  const type =
    common.length > 0
      ? common.join(' | ')
      : others.reduce((joined, other) => joinTypes(joined, other.type), first!.type);
  return shapes.every(({ nullable }) => nullable) && type !== 'SqlValue' ? `${type} | null` : type;
}

function typeOf({ type, nullable }: ValueShape): string {
  if (type === 'unknown') return 'unknown';
  if (type === 'never') return 'null';
  return nullable ? `${type} | null` : type;
}

function property(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : quote(name);
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
