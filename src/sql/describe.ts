const MOST_NAMES = 10;
const LONGEST_NAME = 64;

/** What sort of thing `value` is, and nothing of what it holds: `a string`, `an array`, `a Date`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  const kind = typeof value === 'object' ? classOf(value) : typeof value;
  return /^[aeio]/i.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** `Date`, `Map`, `Uint8Array`; `Object` for plain objects and instances of the caller's own classes. */
export function classOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Names for a message: few enough, each short enough, and quoted so that none can break the line. */
export function listNames(names: readonly string[], sign = ''): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => shortName(name, sign));
  const rest = names.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function shortName(name: string, sign: string): string {
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  return /^[\w$]+…?$/.test(short) ? `${sign}${short}` : JSON.stringify(`${sign}${short}`);
}
