import type { SqlFileProblem } from '../errors/index.ts';
import { noAnnotations, readHeaderLine, type Annotations } from './annotations.ts';
import type { ParameterDefinition, QueryDefinition } from './definition.ts';
import { FaultList } from './fault-list.ts';
import { isNameLine, parseNameLine, type NameLine } from './name-line.ts';
import { Scanner } from './scanner.ts';
import type { SourceText } from './source-text.ts';
import { StatementBuilder, type BuiltStatement } from './statement-builder.ts';

const MOST_QUERIES = 10_000;

/** What a file holds, and what is wrong in it. */
export interface ParsedFile {
  readonly definitions: readonly QueryDefinition[];
  readonly problems: readonly SqlFileProblem[];
}

/** Reads a file of named queries; docs/sql-files.md describes the format. Never throws: faults are listed. */
export function parseSqlFile(source: SourceText): ParsedFile {
  const faults = new FaultList(source);
  const definitions = checkedText(source, faults) ? new FileParser(source, faults).parse() : [];
  return { definitions, problems: faults.problems };
}

/** Refuses what the engines would not read as it is written. */
function checkedText({ text }: SourceText, faults: FaultList): boolean {
  const nul = text.indexOf('\0');
  if (nul !== -1) faults.add('The file has a NUL character: SQLite would end the text here.', nul);
  if (!text.isWellFormed()) faults.add('The file has half a surrogate pair.', text.search(/\p{Surrogate}/u));
  return faults.problems.length === 0;
}

/** A query being read. */
interface OpenQuery {
  /** Undefined where the line with the name is wrong; its statement is still read, for its own faults. */
  readonly nameLine: NameLine | undefined;
  readonly annotations: Annotations;
  readonly lineStart: number;
  builder: StatementBuilder | undefined;
  isEnded: boolean;
  hasExtraStatement: boolean;
}

class FileParser {
  readonly #text: string;
  readonly #faults: FaultList;
  readonly #scanner: Scanner;
  readonly #definitions: QueryDefinition[] = [];
  #query: OpenQuery | undefined;
  #saidNameless = false;

  constructor({ text }: SourceText, faults: FaultList) {
    this.#text = text;
    this.#faults = faults;
    this.#scanner = new Scanner(text);
  }

  parse(): QueryDefinition[] {
    const scanner = this.#scanner;
    while (scanner.next()) this.#token(scanner);
    if (scanner.open !== undefined) {
      const { what, start } = scanner.open;
      this.#faults.add(`This ${what} is never closed.`, start);
      return [];
    }
    this.#finish();
    return this.#definitions;
  }

  #token(scanner: Scanner): void {
    const query = this.#query;
    if (scanner.kind === 'line-comment') {
      this.#lineComment(this.#text.slice(scanner.start, scanner.end), scanner.start);
    } else if (query === undefined) {
      this.#nameless(scanner);
    } else if (query.nameLine?.operation === 'script') {
      this.#body(query).take(scanner);
    } else if (query.isEnded) {
      this.#behindEnd(query, scanner);
    } else if (scanner.kind === 'semicolon') {
      query.isEnded = true;
    } else {
      this.#body(query).take(scanner);
    }
  }

  #lineComment(comment: string, start: number): void {
    if (isNameLine(comment)) {
      this.#finish();
      this.#begin(comment, start);
    } else if (this.#query !== undefined && (this.#query.builder?.isEmpty ?? true) && !this.#query.isEnded) {
      readHeaderLine(comment, start, this.#query.annotations, this.#faults);
    }
  }

  #begin(comment: string, lineStart: number): void {
    this.#query = {
      nameLine: parseNameLine(comment, lineStart, this.#faults),
      annotations: noAnnotations(),
      lineStart,
      builder: undefined,
      isEnded: false,
      hasExtraStatement: false,
    };
  }

  #body(query: OpenQuery): StatementBuilder {
    query.builder ??= new StatementBuilder(this.#text, {
      annotations: query.annotations,
      faults: this.#faults,
      isScript: query.nameLine?.operation === 'script',
    });
    return query.builder;
  }

  #nameless({ kind, start, end }: Scanner): void {
    if (kind === 'block-comment' || kind === 'semicolon' || this.#saidNameless) return;
    this.#saidNameless = true;
    this.#faults.add(
      'SQL without a name: put "-- name: what_it_does" above it. (What fills an empty database is init.sql.)',
      start,
      end,
    );
  }

  #behindEnd(query: OpenQuery, { kind, start, end }: Scanner): void {
    if (kind === 'semicolon' || query.hasExtraStatement) return;
    if (kind === 'block-comment' && this.#text[start + 2] !== ']') return;
    query.hasExtraStatement = true;
    this.#faults.add(
      'A second statement: a query has one. Give this one a name of its own, or make a script (#) of both.',
      start,
      end,
    );
  }

  #finish(): void {
    const query = this.#query;
    this.#query = undefined;
    if (query === undefined) return;
    const { nameLine, annotations, builder } = query;
    if (builder === undefined || builder.isEmpty) {
      const { name = 'This query', offset = query.lineStart } = nameLine ?? {};
      this.#faults.add(`${name} has no statement.`, offset, offset + name.length);
      return;
    }
    const built = builder.finish();
    if (nameLine === undefined || built === undefined) return;
    this.#checkNames(nameLine, annotations, built);
    if (nameLine.declared === undefined) return this.#add(nameLine, annotations, built);
    const marked = built.parameters.map((parameter) => withDeclaredMark(parameter, nameLine));
    this.#add(nameLine, annotations, { ...built, parameters: marked });
  }

  #add(nameLine: NameLine, annotations: Annotations, built: BuiltStatement): void {
    if (this.#definitions.length === MOST_QUERIES) {
      this.#faults.add(`A file has at most ${MOST_QUERIES} queries.`, nameLine.offset);
    }
    if (this.#definitions.length >= MOST_QUERIES) return;
    const { name, operation, offset } = nameLine;
    const { recordClass, dialect, timeoutMs, cacheMs, target, tags, columns } = annotations;
    const { parameters, parts, optionals, choices, bodyStart, bodyEnd, questionMark } = built;
    const documentation = annotations.documentation.join('\n').trim();
    // Written out: files have thousands of these, and they are read when a service starts.
    this.#definitions.push({
      name,
      operation,
      dialect,
      parameters,
      parts,
      optionals,
      choices,
      columns,
      documentation,
      recordClass,
      timeoutMs,
      cacheMs,
      tags,
      target,
      questionMark,
      offset,
      bodyStart,
      bodyEnd,
    });
  }

  /** Checks that what is declared is used, what is used is declared, and one name means one thing. */
  #checkNames({ name, declared, offset }: NameLine, annotations: Annotations, built: BuiltStatement): void {
    const { parameters, optionals, choices } = built;
    const isPlain = optionals.length + choices.length + annotations.parameters.length === 0;
    if (isPlain && declared === undefined) return;
    const flags = optionals.flatMap(({ flag }) => flag ?? []);
    const places = new Map(parameters.map((parameter) => [parameter.name, parameter.offset]));
    for (const choice of choices) places.set(choice.name, choice.offset);
    for (const flag of flags) {
      if (places.has(flag))
        this.#faults.add(`${flag} names an optional part and a parameter.`, places.get(flag)!);
    }
    for (const mark of annotations.parameters) {
      const isUsed = parameters.some((other) => [other.name, ...other.path].join('.') === mark.name);
      if (!isUsed)
        this.#faults.add(
          `${name} has no parameter :${mark.name}.`,
          mark.offset,
          mark.offset + mark.name.length,
        );
    }
    if (declared === undefined) return;
    for (const flag of flags) places.set(flag, offset);
    for (const parameter of declared) {
      if (places.has(parameter.name)) continue;
      const end = parameter.offset + parameter.name.length;
      this.#faults.add(`The parameter ${parameter.name} is declared but not used.`, parameter.offset, end);
    }
    for (const [used, place] of places) {
      if (declared.some((parameter) => parameter.name === used)) continue;
      this.#faults.add(`The parameter :${used} is used but not declared.`, place, place + used.length + 1);
    }
  }
}

function withDeclaredMark(parameter: ParameterDefinition, { declared }: NameLine): ParameterDefinition {
  const mark = declared?.find((other) => other.name === parameter.name)?.nullable;
  return mark === undefined || parameter.nullable !== undefined
    ? parameter
    : { ...parameter, nullable: mark };
}
