import type { Annotations } from './annotations.ts';
import type { Choice, OptionalPart, ParameterDefinition, Part } from './definition.ts';
import type { FaultList } from './fault-list.ts';
import type { Scanner, TokenKind } from './scanner.ts';

/** Each doubles the texts that a query may become. */
const MOST_OPTIONALS = 16;
/** A list counts as one. PostgreSQL takes 65,535 values, SQLite 32,766. */
const MOST_PARAMETERS = 1_000;

/** A statement, read. */
export interface BuiltStatement {
  readonly parts: readonly Part[];
  readonly parameters: readonly ParameterDefinition[];
  readonly optionals: readonly OptionalPart[];
  readonly choices: readonly Choice[];
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Where a `?` stands, which is a placeholder on SQLite and an operator on PostgreSQL. */
  readonly questionMark: number | undefined;
}

interface OpenOptional {
  readonly index: number;
  readonly flag: string | undefined;
  readonly parameters: Set<number>;
  readonly parts: Part[];
  readonly offset: number;
}

interface FoundParameter {
  readonly name: string;
  readonly path: readonly string[];
  readonly offset: number;
  isList: boolean;
  isOptional: boolean;
}

export interface BuilderSetting {
  readonly annotations: Annotations;
  readonly faults: FaultList;
  /** A script goes to the engine as it is, with everything in it. */
  readonly isScript: boolean;
}

/** Takes the tokens of one statement, and makes its parts of them. */
export class StatementBuilder {
  readonly #text: string;
  readonly #faults: FaultList;
  readonly #isScript: boolean;
  readonly #annotations: Annotations;
  readonly #parts: Part[] = [];
  readonly #parameters: FoundParameter[] = [];
  readonly #byName = new Map<string, number>();
  readonly #optionals: OptionalPart[] = [];
  #usedChoices: Set<number> | undefined;
  #open: OpenOptional | undefined;
  #start = -1;
  #end = -1;
  /** Up to where the text is in the parts. */
  #written = -1;
  #questionMark: number | undefined;
  /** Where the word `in` begins, or the `not` before it, while they are the last tokens. */
  #membership: { readonly start: number; readonly isNegated: boolean } | undefined;
  #notAt: number | undefined;

  constructor(text: string, { annotations, faults, isScript }: BuilderSetting) {
    this.#text = text;
    this.#faults = faults;
    this.#annotations = annotations;
    this.#isScript = isScript;
  }

  get isEmpty(): boolean {
    return this.#start === -1;
  }

  /** Takes the scanner's token; any but a line comment and the end of the statement. */
  take({ kind, start, end }: Scanner): void {
    if (this.#isScript) {
      this.#extend(start, end);
      if (kind === 'parameter') this.#faults.add('A script takes no parameters.', start, end);
      return;
    }
    if (kind === 'block-comment' && !this.#isMarker(start)) {
      // A hint is for the engine, wherever it stands: /*+ … */
      if (!this.isEmpty || this.#text[start + 2] === '+') this.#extend(start, end);
      return;
    }
    this.#extend(start, end);
    if (kind === 'block-comment') this.#marker(start, end);
    else if (kind === 'parameter') this.#parameter(start, end);
    else if (kind === 'positional') this.#positional(start, end);
    this.#noteWord(kind, start, end);
  }

  /** @returns undefined when a fault leaves nothing to work with */
  finish(): BuiltStatement | undefined {
    if (this.#open !== undefined) {
      this.#faults.add(
        'This optional part has no end: write /*]*/.',
        this.#open.offset,
        this.#open.offset + 3,
      );
      return undefined;
    }
    this.#flush(this.#end);
    this.#annotations.choices.forEach(({ name, offset }, index) => {
      if (this.#usedChoices?.has(index) === true) return;
      this.#faults.add(
        `The choice ${name} is not used: write :${name} in its place.`,
        offset,
        offset + name.length,
      );
    });
    return {
      parts: this.#parts,
      parameters: this.#parameters.map((parameter) => this.#marked(parameter)),
      optionals: this.#optionals,
      choices: this.#annotations.choices,
      bodyStart: this.#start,
      bodyEnd: this.#end,
      questionMark: this.#questionMark,
    };
  }

  #extend(start: number, end: number): void {
    if (this.#start === -1) this.#start = this.#written = start;
    this.#end = end;
  }

  #flush(until: number): void {
    if (until > this.#written) {
      const text = this.#text.slice(this.#written, until);
      this.#target.push({ kind: 'text', text, offset: this.#written });
    }
  }

  get #target(): Part[] {
    return this.#open?.parts ?? this.#parts;
  }

  #isMarker(start: number): boolean {
    const sign = this.#text[start + 2];
    return sign === '[' || sign === ']';
  }

  /** The beginning of an optional part, or its end. */
  #marker(start: number, end: number): void {
    this.#flush(start);
    this.#written = end;
    const inside = this.#text.slice(start + 3, end - 2).trim();
    if (this.#text[start + 2] === ']') this.#closeOptional(inside, start, end);
    else this.#openOptional(inside, start, end);
  }

  #openOptional(flag: string, start: number, end: number): void {
    if (this.#open !== undefined) {
      this.#faults.add('An optional part cannot be inside another one.', start, end);
    } else if (this.#optionals.length >= MOST_OPTIONALS) {
      this.#faults.add(`A query has at most ${MOST_OPTIONALS} optional parts.`, start, end);
    } else if (!/^([\p{L}_][\p{L}\p{M}\p{N}_]*)?$/u.test(flag)) {
      this.#faults.add('An optional part begins with /*[*/, or with a name: /*[ archived */.', start, end);
    } else {
      const index = this.#optionals.length;
      this.#open = { index, flag: flag || undefined, parameters: new Set(), parts: [], offset: start };
    }
  }

  #closeOptional(inside: string, start: number, end: number): void {
    const open = this.#open;
    if (open === undefined || inside !== '') {
      const fault =
        open === undefined ? 'Here no optional part is open.' : 'An optional part ends with /*]*/.';
      this.#faults.add(fault, start, end);
      return;
    }
    this.#open = undefined;
    const { flag, parameters, parts, index } = open;
    if (flag === undefined && parameters.size === 0) {
      this.#faults.add(
        'This optional part has no parameter that says whether it is wanted: name one, /*[ archived */.',
        open.offset,
        open.offset + 3,
      );
    }
    this.#optionals.push({ flag, parameters: [...parameters] });
    this.#parts.push({ kind: 'optional', optional: index, parts });
  }

  #parameter(start: number, end: number): void {
    const key = this.#text.slice(start + 1, end);
    const [name, ...path] = key.includes('.') ? key.split('.') : [key];
    const { choices } = this.#annotations;
    const choice = choices.length === 0 ? -1 : choices.findIndex((other) => other.name === name);
    const membership = this.#membership;
    this.#flush(membership?.start ?? start);
    this.#written = end;
    if (choice !== -1) {
      if (path.length > 0) this.#faults.add(`${name!} is a choice: it has no properties.`, start, end);
      (this.#usedChoices ??= new Set()).add(choice);
      this.#target.push({ kind: 'choice', choice });
      return;
    }
    const parameter = this.#find({ name: name!, path, isList: membership !== undefined }, start, end);
    this.#open?.parameters.add(parameter);
    if (membership === undefined) this.#target.push({ kind: 'value', parameter });
    else this.#target.push({ kind: 'list', parameter, isNegated: membership.isNegated });
  }

  #find(
    { name, path, isList }: Pick<FoundParameter, 'name' | 'path' | 'isList'>,
    start: number,
    end: number,
  ): number {
    const key = path.length === 0 ? name : [name, ...path].join('.');
    const isOptional = this.#open !== undefined && this.#open.flag === undefined;
    const known = this.#byName.get(key);
    if (known !== undefined) {
      const parameter = this.#parameters[known]!;
      if (parameter.isList !== isList)
        this.#faults.add(`:${key} is a list here and a value there.`, start, end);
      parameter.isOptional &&= isOptional;
      return known;
    }
    if (this.#parameters.length === MOST_PARAMETERS) {
      this.#faults.add(`A query has at most ${MOST_PARAMETERS} parameters.`, start, end);
      return 0;
    }
    if (name === '__proto__' || path.includes('__proto__')) {
      this.#faults.add('A parameter cannot be named __proto__.', start, end);
    }
    const clash = this.#parameters.find(
      (other) => other.name === name && (other.path.length === 0) !== (path.length === 0),
    );
    if (clash !== undefined)
      this.#faults.add(`:${name} is a value and an object with properties.`, start, end);
    this.#byName.set(key, this.#parameters.length);
    return this.#parameters.push({ name, path, offset: start, isList, isOptional }) - 1;
  }

  #positional(start: number, end: number): void {
    if (this.#text[start] === '$') {
      this.#faults.add('Parameters have names in a file: write :name.', start, end);
    }
    this.#questionMark ??= this.#text[start] === '?' ? start : undefined;
  }

  /** Remembers `in` and `not in`: a parameter right behind them is a list. */
  #noteWord(kind: TokenKind, start: number, end: number): void {
    // Length and first letter rule out most words without making a string of them.
    const first = this.#text.charCodeAt(start) | 32;
    const mayBe = kind === 'word' && (end - start === 2 ? first === 105 /* i */ : end - start === 3);
    const word = mayBe ? this.#text.slice(start, end).toLowerCase() : '';
    this.#membership =
      word === 'in' ? { start: this.#notAt ?? start, isNegated: this.#notAt !== undefined } : undefined;
    this.#notAt = word === 'not' ? start : undefined;
  }

  #marked({ name, path, offset, isList, isOptional }: FoundParameter): ParameterDefinition {
    const { parameters } = this.#annotations;
    const key = path.length === 0 ? name : [name, ...path].join('.');
    const mark = parameters.length === 0 ? undefined : parameters.find((other) => other.name === key);
    return { name, path, isList, isOptional, nullable: mark?.nullable, type: mark?.type, offset };
  }
}
