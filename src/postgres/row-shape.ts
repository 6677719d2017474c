import { UsageError } from '../errors/index.ts';
import type { Column } from './columns.ts';
import { jsonWriterOf, type JsonBytes, type JsonWriter } from './json-bytes.ts';
import { decoderOf, type Decoder } from './value-decoding.ts';

/** Reads a row from the body of a DataRow that begins at `at`. */
type RowReader<Row> = (buffer: Buffer, at: number) => Row;

/** How rows of certain columns are read, in every shape; each reader is compiled when it is first used. */
export class RowShape {
  readonly columns: readonly Column[];
  readonly #decoders: readonly Decoder[];
  readonly #duplicate: string | undefined;
  #object: RowReader<Record<string, unknown>> | undefined;
  #array: RowReader<unknown[]> | undefined;
  #json: ((buffer: Buffer, at: number, body: JsonBytes) => void) | undefined;

  constructor(columns: readonly Column[]) {
    this.columns = columns;
    this.#decoders = columns.map(({ typeId }) => decoderOf(typeId));
    this.#duplicate = findDuplicate(columns.map(({ name }) => name));
  }

  /** @throws UsageError where two columns have one name */
  get object(): RowReader<Record<string, unknown>> {
    this.#assertDistinct();
    this.#object ??= compile(this.columns, this.#decoders, 'object') as RowReader<Record<string, unknown>>;
    return this.#object;
  }

  get array(): RowReader<unknown[]> {
    this.#array ??= compile(this.columns, this.#decoders, 'array') as RowReader<unknown[]>;
    return this.#array;
  }

  /** The value of the first column, null in a row without columns. */
  first(buffer: Buffer, at: number): unknown {
    if (this.#decoders.length === 0) return null;
    const length = buffer.readInt32BE(at + 2);
    return length < 0 ? null : this.#decoders[0]!(buffer, at + 6, at + 6 + length);
  }

  /** @throws UsageError where two columns have one name */
  get json(): (buffer: Buffer, at: number, body: JsonBytes) => void {
    this.#assertDistinct();
    this.#json ??= createJsonReader(this.columns);
    return this.#json;
  }

  #assertDistinct(): void {
    if (this.#duplicate === undefined) return;
    throw new UsageError(
      `Two columns of the result are named "${this.#duplicate}", and a row can hold only one of them: name ` +
        'one of them with AS, or take the rows with arrays().',
      { code: 'ERR_MILLPOND_DUPLICATE_COLUMN' },
    );
  }
}

/** Shapes kept; results of one statement share theirs, on whatever connection they came. */
const MAX_SHAPES = 1_000;

/** Row shapes by their columns, so that rows of one shape are of one hidden class wherever they came from. */
export class RowShapes {
  readonly #shapes = new Map<string, RowShape>();

  get(columns: readonly Column[]): RowShape {
    const key = JSON.stringify(columns.map(({ name, typeId }) => [name, typeId]));
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.delete(this.#shapes.keys().next().value!);
    const shape = new RowShape(columns);
    this.#shapes.set(key, shape);
    return shape;
  }
}

/**
 * Compiles the reading of a row: all columns in one function, each with its own decoder, and an object
 * literal that gives every row the same hidden class. Names are data, so they enter the code only as JSON
 * string literals, and as computed keys: a plain `"__proto__": …` would set the prototype.
 */
function compile(
  columns: readonly Column[],
  decoders: readonly Decoder[],
  kind: 'object' | 'array',
): unknown {
  const reads = columns.map(
    (_, index) => `length = buffer.readInt32BE(at); at += 4;
      const v${index} = length < 0 ? null : d${index}(buffer, at, at + length);
      if (length > 0) at += length;`,
  );
  const names = columns.map((_, index) => `d${index}`);
  const values = columns.map(({ name }, index) =>
    kind === 'array' ? `v${index}` : `[${JSON.stringify(name)}]: v${index}`,
  );
  const row = kind === 'array' ? `[${values.join(', ')}]` : `{ ${values.join(', ')} }`;
  try {
    const body = `return (buffer, at) => { let length = 0; at += 2; ${reads.join('\n')} return ${row}; };`;
    // oxlint-disable-next-line typescript/no-implied-eval -- of JSON literals and numbers alone, see above
    return (new Function(...names, body) as (...given: readonly Decoder[]) => unknown)(...decoders);
  } catch {
    // Node started with --disallow-code-generation-from-strings: slower, and right.
    return interpret(columns, decoders, kind);
  }
}

function interpret(
  columns: readonly Column[],
  decoders: readonly Decoder[],
  kind: 'object' | 'array',
): RowReader<unknown> {
  const readValues = (buffer: Buffer, start: number): unknown[] => {
    let at = start + 2;
    return decoders.map((decode) => {
      const length = buffer.readInt32BE(at);
      const from = at + 4;
      at = from + Math.max(0, length);
      return length < 0 ? null : decode(buffer, from, at);
    });
  };
  if (kind === 'array') return readValues;
  return (buffer, start) => {
    const values = readValues(buffer, start);
    return Object.fromEntries(columns.map(({ name }, index) => [name, values[index]]));
  };
}

function createJsonReader(columns: readonly Column[]): (buffer: Buffer, at: number, body: JsonBytes) => void {
  const keys = columns.map(({ name }, index) =>
    Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`),
  );
  const writers: readonly JsonWriter[] = columns.map(({ typeId }) => jsonWriterOf(typeId));
  return (buffer, start, body) => {
    let at = start + 2;
    body.beginRow();
    for (let index = 0; index < keys.length; index += 1) {
      body.raw(keys[index]!);
      const length = buffer.readInt32BE(at);
      at += 4;
      if (length < 0) body.null();
      else writers[index]!(body, buffer, at, at + length);
      at += Math.max(0, length);
    }
    body.endRow();
  };
}

/** The first name that stands for two columns. */
function findDuplicate(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
