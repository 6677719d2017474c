import type {
  NPlusOneSuspect,
  RecentError,
  RecentLeak,
  RecentNotice,
  RecentSlowQuery,
} from '../../metrics/index.ts';
import type { DatabaseState } from '../monitor-state.ts';
import { bodyOf, element, scrollable } from './dom.ts';
import { duration, shortCount, timeOfDay } from './numbers.ts';
import { grouped, latestOfEach, type Problems } from './rows.ts';

/**
 * A section that is written anew, but only when what it shows has changed, and not under a hand: then it says
 * that it stands still.
 */
export class Section {
  readonly #body: HTMLElement;
  #shown = '';

  constructor(id: string) {
    this.#body = bodyOf(id);
  }

  /** `content` is asked for nodes only when `of` differs from the last time. */
  show(of: unknown, content: () => readonly Node[]): void {
    const now = JSON.stringify(of);
    if (now === this.#shown) return;
    const isInUse = this.#isInUse();
    this.#body.toggleAttribute('data-still', isInUse);
    if (isInUse) return;
    this.#shown = now;
    const scrolled = [...this.#scrolled()];
    this.#body.replaceChildren(...content());
    for (const [label, left] of scrolled) this.#scroller(label)?.scrollTo({ left, behavior: 'instant' });
  }

  /** How far which table was moved aside: on a phone that is how its last columns are read. */
  *#scrolled(): Iterable<readonly [label: string, left: number]> {
    for (const place of this.#body.querySelectorAll('.scroll'))
      if (place.scrollLeft > 0) yield [place.getAttribute('aria-label') ?? '', place.scrollLeft];
  }

  #scroller(label: string): Element | undefined {
    const places = [...this.#body.querySelectorAll('.scroll')];
    return places.find((place) => place.getAttribute('aria-label') === label);
  }

  /** Rewriting it would close what is open, and take the focus away. */
  #isInUse(): boolean {
    return this.#body.contains(document.activeElement) || this.#body.querySelector('details[open]') !== null;
  }
}

function empty(text: string): HTMLElement {
  return element('p', { class: 'empty' }, text);
}

function pill(text: string, level = ''): HTMLElement {
  return element('span', { class: 'pill', 'data-level': level }, text);
}

export function loopCards(suspects: readonly NPlusOneSuspect[]): Node[] {
  if (suspects.length === 0)
    return [empty('None was found. Requests are searched while metrics.runInRequest runs.')];
  const groups = grouped(suspects, ({ route, statement, callSite }) =>
    JSON.stringify([route, statement, callSite]),
  );
  return [element('div', { class: 'cards' }, ...groups.map(({ newest }) => loopCard(newest)))];
}

function loopCard({ route, repeats, text, callSite, callers, parent, suggestion }: NPlusOneSuspect): Node {
  const from = element(
    'details',
    {},
    element('summary', {}, callSite),
    element('pre', {}, callers.join('\n')),
  );
  const list =
    parent && element('p', { class: 'quiet' }, `after ${shortCount(parent.rows)} rows of: ${parent.text}`);
  const often = pill(`${repeats}× in one request`, 'warn');
  const title = element('p', {}, element('code', {}, route), ' ', often);
  return element(
    'div',
    { class: 'card' },
    title,
    element('pre', {}, text),
    list,
    from,
    element('p', {}, suggestion),
  );
}

/** Plain rows of words: they are few, and are rewritten. On a phone each cell stands under its title. */
function plainTable(
  caption: string,
  titles: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
): Node {
  const head = element(
    'tr',
    {},
    ...titles.map((title) => element('th', { scope: 'col', class: 'text' }, title)),
  );
  const lines = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, at) => element('td', { class: 'text', 'data-label': titles[at]! }, cell)),
    ),
  );
  const table = element(
    'table',
    { class: 'plain' },
    element('caption', {}, caption),
    element('thead', {}, head),
    element('tbody', {}, ...lines),
  );
  return scrollable(caption, table);
}

const OPEN_TITLES = ['No.', 'Name', 'Kind', 'Age', 'Statements', 'Begun at'];

export function transactionNodes(databases: readonly DatabaseState[]): Node[] {
  return databases.flatMap(({ name, dialect, isUp, stats, running, leases }) => {
    const { started, committed, rolledBack, unknown, active } = stats.transactions;
    const ended = `${shortCount(committed)} committed, ${shortCount(rolledBack)} rolled back`;
    const counts = `${shortCount(started)} begun, ${ended}`;
    const title = element(
      'h3',
      {},
      `${name} `,
      pill(dialect),
      ' ',
      pill(isUp ? 'up' : 'down', isUp ? 'good' : 'bad'),
    );
    const summary = element(
      'p',
      { class: 'quiet' },
      `${counts}, ${shortCount(unknown)} unknown, ${shortCount(active)} open.`,
    );
    const open = running.map((one) => [
      String(one.id),
      one.name ?? '–',
      one.readOnly ? 'reads' : 'writes',
      duration(one.ageMs),
      String(one.statements),
      one.begunAt ?? '–',
    ]);
    const held = leases.map(({ holder, heldMs, takenAt }) => [
      holder === '' ? '–' : holder,
      duration(heldMs),
      stack(takenAt),
    ]);
    return [
      title,
      summary,
      ...(open.length === 0 ? [] : [plainTable(`Open transactions of ${name}`, OPEN_TITLES, open)]),
      ...(held.length === 0 ? [] : [plainTable(`Leases of ${name}`, ['Holder', 'Held', 'Taken at'], held)]),
      ...(open.length + held.length === 0 ? [empty('Nothing is open, and nothing is held.')] : []),
    ];
  });
}

/** Named by the first frame outside of installed packages, millpond among them: there somebody forgot it. */
function stack(text: string): Node | string {
  const frames = text.split('\n').filter((frame) => frame !== '');
  if (frames.length <= 1) return frames[0] ?? 'not captured';
  const place = frames.find((frame) => !/\/node_modules\/|\bnode:|<anonymous>\)?$/.test(frame)) ?? frames[0]!;
  const summary = element('summary', {}, place.replace(/^at /, ''));
  return element('details', {}, summary, element('pre', {}, frames.join('\n')));
}

export function problemNodes({ leaks, slowQueries, errors, notices }: Problems): Node[] {
  if (leaks.length + slowQueries.length + errors.length + notices.length === 0)
    return [empty('None so far.')];
  return [
    ...part('Leaks', ['Time', 'Pool', 'Holder', 'Held', 'Taken at'], latestOfEach(leaks).map(leakRow)),
    ...part('Errors', ['Last', 'Times', 'Code', 'Message', 'Statement'], errorRows(errors)),
    ...part('Slow statements', ['Last', 'Times', 'Took', 'Rows', 'Statement'], slowRows(slowQueries)),
    ...part('Notices', ['Time', 'Database', 'Event', 'What'], notices.map(noticeRow)),
  ];
}

type Cells = readonly (Node | string)[];

function part(title: string, titles: readonly string[], rows: readonly Cells[]): Node[] {
  return rows.length === 0 ? [] : [element('h3', {}, title), plainTable(title, titles, rows)];
}

function errorRows(errors: readonly RecentError[]): Cells[] {
  const groups = grouped(errors, ({ statement, code, message }) =>
    JSON.stringify([statement, code, message]),
  );
  return groups.map(({ newest: { at, code, message, text }, count }) => [
    timeOfDay(at),
    times(count),
    pill(code, 'bad'),
    element('span', { class: 'long' }, message),
    element('code', { class: 'long' }, text),
  ]);
}

function slowRows(slowQueries: readonly RecentSlowQuery[]): Cells[] {
  return grouped(slowQueries, ({ statement }) => statement).map(({ newest, count }) => [
    timeOfDay(newest.at),
    times(count),
    duration(newest.durationMs),
    shortCount(newest.rows),
    element('code', { class: 'long' }, newest.text),
  ]);
}

function noticeRow({ at, database, event, message }: RecentNotice): Cells {
  return [timeOfDay(at), database, pill(event), element('span', { class: 'long' }, message)];
}

function times(count: number): string {
  return count === 1 ? '' : `${count}×`;
}

function leakRow({ at, pool, holder, heldMs, takenAt, returned }: RecentLeak): Cells {
  const state = returned ? pill('came back', 'good') : pill('not back', 'bad');
  return [timeOfDay(at), pool, element('span', {}, holder, ' ', state), duration(heldMs), stack(takenAt)];
}
