import type { CacheState } from '../monitor-state.ts';
import { bodyOf, button, change, element } from './dom.ts';
import { bytes, percent, shortCount } from './numbers.ts';

/** A card for each cache, with its figures and what can be done to it. */
export class CacheCards {
  readonly #list = element('div', { class: 'cards' });
  readonly #none = element('p', { class: 'empty' }, 'The monitor was given no cache.');
  readonly #facts = new Map<string, HTMLElement>();

  constructor() {
    bodyOf('caches').append(this.#none, this.#list);
  }

  show(caches: readonly CacheState[]): void {
    this.#none.hidden = caches.length > 0;
    for (const { name, stats } of caches) {
      const facts = this.#facts.get(name) ?? this.#add(name);
      facts.replaceChildren(...factsOf(stats));
    }
  }

  #add(name: string): HTMLElement {
    const facts = element('p', { class: 'facts' });
    const said = element('p', { class: 'quiet', role: 'status' });
    const ask = (path: string, done: string) => () => {
      const query = new URLSearchParams({ name });
      void change(`/cache/${path}?${query}`).then(
        () => (said.textContent = done),
        (error: Error) => (said.textContent = error.message),
      );
    };
    const buttons = element(
      'p',
      {},
      button('Clear', ask('clear', 'Cleared.')),
      ' ',
      button('Free what has expired', ask('cleanup', 'Freed.')),
    );
    const title = element('h3', {}, name);
    this.#list.append(element('div', { class: 'card' }, title, facts, buttons, said));
    this.#facts.set(name, facts);
    return facts;
  }
}

/** Named here, or left out where they say the same. */
const OWN = new Set(['hits', 'misses', 'entries', 'bytes', 'hitRate', 'maxEntries', 'maxBytes']);

function factsOf(stats: CacheState['stats']): Node[] {
  const { hits = 0, misses = 0, entries = 0, bytes: size, maxEntries, maxBytes } = stats;
  const rate = hits + misses === 0 ? '' : ` (${percent(hits / (hits + misses))})`;
  const rest = Object.entries(stats).filter(([key, value]) => !OWN.has(key) && value !== 0);
  const facts: [string, string][] = [
    ['hits', `${shortCount(hits)}${rate}`],
    ['misses', shortCount(misses)],
    ['entries', `${shortCount(entries)}${maxEntries === undefined ? '' : ` of ${shortCount(maxEntries)}`}`],
  ];
  if (size !== undefined)
    facts.push(['size', `${bytes(size)}${maxBytes === undefined ? '' : ` of ${bytes(maxBytes)}`}`]);
  for (const [key, value] of rest) facts.push([wordsOf(key), shortCount(value)]);
  return facts.map(([key, value]) => element('span', {}, `${key} `, element('b', {}, value)));
}

/** `loadErrors` is read as "load errors". */
function wordsOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
