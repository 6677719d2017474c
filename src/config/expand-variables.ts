import type { Checked } from './checked.ts';
import type { Variables } from './dotenv.ts';

const REFERENCE = /\$\{([A-Za-z_]\w*)(?::-([^{}]*))?\}/g;

/**
 * Puts variables into a text: `${NAME}`, or `${NAME:-default}` where the default stands in for one unset or
 * empty.
 */
export function expandVariables(text: string, variables: Variables): Checked<string> {
  const missing: string[] = [];
  const expanded = text.replaceAll(REFERENCE, (_, name: string, fallback: string | undefined) => {
    const value = variables.get(name)?.value;
    if (value === undefined && fallback === undefined) missing.push(name);
    return fallback === undefined ? (value ?? '') : value || fallback;
  });
  if (text.replaceAll(REFERENCE, '').includes('${')) {
    return { fault: 'holds a ${ that is neither ${NAME} nor ${NAME:-default}' };
  }
  if (missing.length === 0) return { value: expanded };
  const names = missing.join(', ');
  return {
    fault: `needs variables that are not set: ${names}; set them, or write \${${missing[0]}:-default}`,
  };
}
