/** Texts, and letters of a text. */
const MOST_REMEMBERED = 100;

/**
 * Clients and handlers send a few texts many times. Those that send many different ones must not fill the
 * memory.
 */
export function remembered<T>(decide: (text: string) => T): (text: string) => T {
  const decisions = new Map<string, T>();
  return (text) => {
    const known = decisions.get(text);
    if (known !== undefined || decisions.has(text)) return known as T;
    const decision = decide(text);
    if (text.length > MOST_REMEMBERED) return decision;
    if (decisions.size >= MOST_REMEMBERED) decisions.clear();
    decisions.set(text, decision);
    return decision;
  };
}
