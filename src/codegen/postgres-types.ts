/** What a type is read as, and what may be bound for it; see docs/values.md. */
const TYPES: Readonly<Record<string, readonly [read: string, bound: string]>> = {
  bigint: ['number', 'number | bigint'],
  boolean: ['boolean', 'boolean'],
  bytea: ['Uint8Array', 'Uint8Array'],
  'double precision': ['number', 'number'],
  integer: ['number', 'number | bigint'],
  json: ['unknown', 'unknown'],
  jsonb: ['unknown', 'unknown'],
  numeric: ['string', 'number | bigint | string'],
  oid: ['number', 'number'],
  real: ['number', 'number'],
  smallint: ['number', 'number | bigint'],
  'timestamp with time zone': ['Date', 'Date | string'],
  'timestamp without time zone': ['string', 'Date | string'],
  date: ['string', 'Date | string'],
};

/** The TypeScript type for a type of the server; what it does not know is text. */
export function postgresType(name: string | undefined, use: 'read' | 'bound'): string {
  if (name === undefined) return 'unknown';
  if (name.endsWith('[]')) {
    // An element of an array may be NULL, whatever the column says.
    const element = postgresType(name.slice(0, -2), use);
    const nullable = element === 'unknown' ? element : `${element} | null`;
    if (use === 'bound') return `readonly ${element.includes(' ') ? `(${element})` : element}[]`;
    return element === 'unknown' ? 'unknown[]' : `(${nullable})[]`;
  }
  const known = TYPES[name];
  if (known === undefined) return 'string';
  return use === 'read' ? known[0] : known[1];
}
