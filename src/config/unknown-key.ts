import { showKey } from './problems.ts';
import { OPTION_NAMES } from './schema.ts';
import { suggest } from './suggest.ts';

/** The message for a key that is not among `known`. A right option in the wrong place is found as well. */
export function unknownKey(key: string, known: readonly string[], what: string = 'an option'): string {
  const meant = suggest(key, known) ?? OPTION_NAMES.find((option) => option.endsWith(`.${key}`));
  if (meant !== undefined) return `is not ${what}; did you mean ${showKey(meant)}?`;
  return `is not ${what}; there are: ${known.join(', ')}`;
}
