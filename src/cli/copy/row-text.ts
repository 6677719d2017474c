import { createHash } from 'node:crypto';
import { QueryExecutionError } from '../../errors/index.ts';
import { quoteId } from './quote.ts';
import type { TargetType, TypedColumn } from './target-types.ts';

/** Bytes of a piece that is sent at once. */
const PIECE_BYTES = 65_536;
/** Digits of the hash of a row that are added up: 60 bits, as many as fit a bigint with its sign. */
const HASH_DIGITS = 15;

/** Stands where a text's bytes are no UTF-8: https://sqlite.org/invalidutf.html */
const REPLACEMENT = '\uFFFD';

/** Counts and sums what went through; the order of rows does not matter. */
export class RowSum {
  count = 0;
  /** By column: texts in which a character stands for bytes that are none, or was one from the beginning. */
  readonly replaced: Map<string, number> = new Map();
  #sum = 0n;

  add(fields: readonly (string | undefined)[]): void {
    this.count += 1;
    const text = fields
      .map((field) => (field === undefined ? 'n' : `${Buffer.byteLength(field)}:${field}`))
      .join('');
    this.#sum += BigInt(`0x${createHash('md5').update(text).digest('hex').slice(0, HASH_DIGITS)}`);
  }

  get checksum(): string {
    return this.#sum.toString();
  }
}

/** The same sum, made by PostgreSQL of what it holds. */
export function sumQuery(table: string, columns: readonly TypedColumn[]): string {
  const fields = columns.map(({ name, type }) => {
    const text = canonicalSql(quoteId(name), type);
    return `case when ${quoteId(name)} is null then 'n' else octet_length(${text}) || ':' || ${text} end`;
  });
  const digits = `substr(md5(${fields.join(' || ')}), 1, ${HASH_DIGITS})`;
  const hash = `('x' || ${digits})::bit(${HASH_DIGITS * 4})::bigint`;
  return `select count(*)::bigint as count, coalesce(sum(${hash}), 0)::text as checksum
    from ${quoteId(table)}`;
}

/**
 * Rows in the text format of COPY, in pieces, each row added to `sum`.
 * https://www.postgresql.org/docs/current/sql-copy.html
 */
export async function* toCopyText(
  rows: AsyncIterable<Record<string, unknown>>,
  {
    table,
    columns,
    sum,
  }: { readonly table: string; readonly columns: readonly TypedColumn[]; readonly sum: RowSum },
): AsyncGenerator<Uint8Array, undefined> {
  let piece = '';
  for await (const row of rows) {
    const values = columns.map(({ name, type }) => toField(row[name], type, `${table}.${name}`));
    sum.add(values.map((value) => value?.canonical));
    for (const { name } of columns) {
      const value = row[name];
      if (typeof value === 'string' && value.includes(REPLACEMENT))
        sum.replaced.set(name, (sum.replaced.get(name) ?? 0) + 1);
    }
    piece += `${values.map((value) => value?.copied ?? '\\N').join('\t')}\n`;
    if (piece.length < PIECE_BYTES) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
  return undefined;
}

interface Field {
  readonly copied: string;
  readonly canonical: string;
}

function toField(value: unknown, type: TargetType, place: string): Field | undefined {
  if (value === null || value === undefined) return undefined;
  switch (type) {
    case 'boolean': {
      const word = Number(value) === 1 ? 'true' : 'false';
      return { copied: word, canonical: word };
    }
    case 'double precision':
      return { copied: numberText(value), canonical: doubleHex(Number(value)) };
    case 'numeric':
      return numericField(value);
    case 'bytea': {
      const hex = Buffer.from(value as Uint8Array).toString('hex');
      return { copied: `\\\\x${hex}`, canonical: hex };
    }
    case 'bigint': {
      const text = `${value as bigint}`;
      return { copied: text, canonical: text };
    }
    default:
      return textField(value, place);
  }
}

function textField(value: unknown, place: string): Field {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : `${value as string}`;
  if (text.includes('\0')) {
    throw new QueryExecutionError(
      `A text of ${place} has a NUL character, which PostgreSQL has no place for.`,
    );
  }
  const copied = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return { copied, canonical: text };
}

/** Whole numbers digit by digit, as far as both sides write them so; the others as the doubles they are. */
function numericField(value: unknown): Field {
  const copied = numberText(value);
  const isWhole = /^-?\d+$/.test(copied) && Number(value) !== 0;
  return { copied, canonical: isWhole ? copied : doubleHex(Number(value)) };
}

function numberText(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  return `${value as number}`;
}

function doubleHex(value: number): string {
  const bytes = Buffer.alloc(8);
  // A decimal number has one zero.
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  return bytes.toString('hex');
}

function canonicalSql(id: string, type: TargetType): string {
  const double = `encode(float8send(case when ${id} = 0 then 0 else ${id}::float8 end), 'hex')`;
  switch (type) {
    case 'double precision':
      return double;
    case 'numeric':
      // From 1e21 on JavaScript writes a number with an exponent.
      return (
        `case when ${id} = trunc(${id}) and ${id} <> 0 and abs(${id}) < 1e21 ` +
        `then trunc(${id})::text else ${double} end`
      );
    case 'bytea':
      return `encode(${id}, 'hex')`;
    default:
      return `${id}::text`;
  }
}
