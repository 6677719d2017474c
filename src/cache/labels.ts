import { createHash } from 'node:crypto';
import { UsageError } from '../errors/index.ts';

/**
 * What an entry depends on, as a short text without spaces that is the same in every process: a table, a tag,
 * its own key, or one of the two below.
 */
export type Label = string;

/** A label of every entry that has read a table: dropped when it is not known which tables were changed. */
export const ANY_TABLE: Label = '*';
/** A label of entries for which it is not known what they read: dropped by every change. */
export const UNKNOWN_TABLES: Label = '?';

const PLAIN = /^[\w:.-]{1,80}$/;
/** Longer keys are replaced by their digest, to save memory. */
export const LONGEST_KEY = 400;

/**
 * By the last part of the name, in lower case: `users`, `Users` and `public.users` are one. Two tables that
 * share it are dropped together, which costs a load but is never wrong.
 */
export function tableLabel(table: string): Label {
  return `t${short(table.slice(table.lastIndexOf('.') + 1).toLowerCase())}`;
}

export function tagLabel(tag: string): Label {
  return `g${short(tag)}`;
}

/** @throws UsageError for a tag or table that is no text */
export function dependencyLabels(tags: readonly string[], tables: readonly string[] = []): Label[] {
  for (const [what, names] of [
    ['tag', tags],
    ['table', tables],
  ] as const) {
    if (!Array.isArray(names) || names.some((name: unknown) => typeof name !== 'string' || name === ''))
      throw new UsageError(`A ${what} of a cached value is a non-empty string, in an array.`);
  }
  const labels = [...tags.map(tagLabel), ...tables.map(tableLabel)];
  return tables.length === 0 ? labels : [...labels, ANY_TABLE];
}

export function keyLabel(key: string): Label {
  return `k${short(key)}`;
}

/** The key itself, or its digest where it is long. The two kinds of keys cannot be confused. */
export function boundedKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : `\0#${digest(key)}`;
}

/** Not the digest of the UTF-8 bytes: lone surrogates would all become the same character there. */
export function digest(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url');
}

function short(name: string): string {
  return PLAIN.test(name) ? name : `#${digest(name)}`;
}
