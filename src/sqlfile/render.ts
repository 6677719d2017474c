import type { Dialect } from '../sql/index.ts';
import type { Part, QueryDefinition } from './definition.ts';

/** Which of the texts that a query may become. */
export interface Variant {
  /** For each optional part: whether it is in. */
  readonly optionals: readonly boolean[];
  /** For each choice: the key of the chosen text. */
  readonly choices: readonly string[];
  /** For each parameter that is a list: its places in the text. Only SQLite writes one for each element. */
  readonly listSizes: ReadonlyMap<number, number>;
}

/** A place for a value: its parameter, and the element of a list that is written out. */
export interface Slot {
  readonly parameter: number;
  readonly element: number | undefined;
}

/** A text as the engine takes it. */
export interface RenderedQuery {
  readonly text: string;
  /** What the placeholders `?1`, `$1` and so on stand for. */
  readonly slots: readonly Slot[];
  /** Where an offset of `text` stands in the file. */
  readonly sourceOffset: (offset: number) => number;
}

/** All optional parts, the first of each choice, lists of one element. */
export function fullVariant({ optionals, choices, parameters }: QueryDefinition): Variant {
  return {
    optionals: optionals.map(() => true),
    choices: choices.map(({ texts }) => texts.keys().next().value!),
    listSizes: new Map(parameters.flatMap(({ isList }, index) => (isList ? [[index, 1] as const] : []))),
  };
}

/** The query's text for one dialect, with numbered placeholders. */
export function renderQuery(definition: QueryDefinition, dialect: Dialect, variant: Variant): RenderedQuery {
  const writer = new Writer(definition, dialect, variant);
  writer.write(definition.parts);
  const { text, slots, pieces } = writer;
  return { text, slots, sourceOffset: (offset) => sourceOffset(pieces, offset) };
}

interface Piece {
  readonly at: number;
  readonly offset: number;
}

class Writer {
  text = '';
  readonly slots: Slot[] = [];
  readonly pieces: Piece[] = [];
  readonly #definition: QueryDefinition;
  readonly #dialect: Dialect;
  readonly #variant: Variant;
  /** The first number of each parameter. */
  readonly #numbers = new Map<number, number>();

  constructor(definition: QueryDefinition, dialect: Dialect, variant: Variant) {
    this.#definition = definition;
    this.#dialect = dialect;
    this.#variant = variant;
  }

  write(parts: readonly Part[]): void {
    for (const part of parts) this.#part(part);
  }

  #part(part: Part): void {
    switch (part.kind) {
      case 'text':
        this.pieces.push({ at: this.text.length, offset: part.offset });
        this.text += part.text;
        return;
      case 'value':
        this.#mark(part.parameter);
        this.text += this.#placeholder(this.#number(part.parameter, 1));
        return;
      case 'list':
        this.#mark(part.parameter);
        this.text += this.#list(part.parameter, part.isNegated);
        return;
      case 'choice': {
        const { texts, offset } = this.#definition.choices[part.choice]!;
        this.pieces.push({ at: this.text.length, offset });
        this.text += texts.get(this.#variant.choices[part.choice]!)!;
        return;
      }
      case 'optional':
        if (this.#variant.optionals[part.optional] === true) this.write(part.parts);
    }
  }

  #mark(parameter: number): void {
    this.pieces.push({ at: this.text.length, offset: this.#definition.parameters[parameter]!.offset });
  }

  /**
   * PostgreSQL takes an array as one value, also an empty one:
   * https://www.postgresql.org/docs/current/functions-comparisons.html SQLite has no arrays, but an empty
   * list: https://sqlite.org/lang_expr.html#the_in_and_not_in_operators
   */
  #list(parameter: number, isNegated: boolean): string {
    if (this.#dialect === 'postgres') {
      const placeholder = this.#placeholder(this.#number(parameter, 1));
      return isNegated ? `<> all(${placeholder})` : `= any(${placeholder})`;
    }
    const size = this.#variant.listSizes.get(parameter)!;
    const first = this.#number(parameter, size);
    const places = Array.from({ length: size }, (_, index) => this.#placeholder(first + index));
    return `${isNegated ? 'not in' : 'in'} (${places.join(', ')})`;
  }

  #number(parameter: number, size: number): number {
    const known = this.#numbers.get(parameter);
    if (known !== undefined) return known;
    const first = this.slots.length + 1;
    this.#numbers.set(parameter, first);
    const isWrittenOut = this.#definition.parameters[parameter]!.isList && this.#dialect === 'sqlite';
    for (let element = 0; element < size; element += 1) {
      this.slots.push({ parameter, element: isWrittenOut ? element : undefined });
    }
    return first;
  }

  #placeholder(number: number): string {
    return this.#dialect === 'sqlite' ? `?${number}` : `$${number}`;
  }
}

function sourceOffset(pieces: readonly Piece[], offset: number): number {
  const piece = pieces.findLast(({ at }) => at <= offset) ?? pieces[0];
  return piece === undefined ? 0 : piece.offset + offset - piece.at;
}
