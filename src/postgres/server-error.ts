import { cstringEnd } from './columns.ts';

/** What an ErrorResponse says: https://www.postgresql.org/docs/current/protocol-error-fields.html */
export interface ServerFailure {
  readonly severity: string;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  /** The function of the server's source: the same in every language. */
  readonly routine: string | undefined;
}

export function readFailure(buffer: Buffer, start: number, end: number): ServerFailure {
  const fields = new Map<string, string>();
  for (let at = start; at < end && buffer[at] !== 0;) {
    const kind = String.fromCharCode(buffer[at]!);
    const stop = cstringEnd(buffer, at + 1);
    fields.set(kind, buffer.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  return {
    // V is the severity in English, whatever the language of the messages is.
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    code: fields.get('C') ?? 'XX000',
    message: fields.get('M') ?? 'the server reported an error without a message',
    detail: fields.get('D'),
    hint: fields.get('H'),
    schema: fields.get('s'),
    table: fields.get('t'),
    column: fields.get('c'),
    constraint: fields.get('n'),
    routine: fields.get('R'),
  };
}

/** After these the server closes the connection. */
export function isFatal({ severity }: ServerFailure): boolean {
  return severity === 'FATAL' || severity === 'PANIC';
}
