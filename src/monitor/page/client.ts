import type { MonitorState } from '../monitor-state.ts';
import type { Sample } from '../sampler.ts';
import { CacheCards } from './cache-cards.ts';
import { Charts, logBytes } from './charts.ts';
import { addressOf, bodyOf, byId, change, element, setText } from './dom.ts';
import { bytes, duration, percent, shortCount, timeOfDay } from './numbers.ts';
import { matches, partOf } from './rows.ts';
import { loopCards, problemNodes, Section, transactionNodes } from './sections.ts';
import { routeTable, statementTable } from './tables.ts';

const MOST_SAMPLES = 300;
const RETRY_MS = 5_000;
/** A stream that is silent for longer has lost its server, or the server hangs: neither ends the stream. */
const SILENT_MS = Math.max(10_000, 3 * Number(document.body.dataset['sampleMs']));
const THEME = 'millpond-monitor-theme';

const select = byId<HTMLSelectElement>('database');
const filter = byId<HTMLInputElement>('filter');
const pause = byId<HTMLButtonElement>('pause');
const theme = byId<HTMLSelectElement>('theme');
const status = byId('status');

const charts = new Charts(byId('charts'));
const statements = statementTable();
const routes = routeTable();
const cacheCards = new CacheCards();
const sections = {
  loops: new Section('loops'),
  transactions: new Section('transactions'),
  problems: new Section('problems'),
};
/** What is shown, and, while that is paused, what has come since. */
let samples: Sample[] = [];
let state: MonitorState | undefined;
let latest: { readonly samples: Sample[]; readonly state: MonitorState | undefined } | undefined;

bodyOf('statements').append(statements.node);
bodyOf('routes').append(routes.node);
listen();
connect();

function connect(): void {
  const source = new EventSource(addressOf('/events'));
  let silence: ReturnType<typeof setTimeout> | undefined;
  const awaitMore = () => {
    clearTimeout(silence);
    const since = timeOfDay(Date.now());
    silence = setTimeout(() => reconnect(`nothing heard since ${since}; trying again`, 0), SILENT_MS);
  };
  const reconnect = (why: string, afterMs: number) => {
    clearTimeout(silence);
    source.close();
    showDown(why);
    setTimeout(connect, afterMs);
  };
  const on = <Data>(name: string, heard: (data: Data) => void) =>
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      awaitMore();
      showStatus('live', 'live');
      heard(JSON.parse(data) as Data);
    });
  on<Sample[]>('history', takeSamples);
  on<Sample>('sample', (sample) => takeSamples([...(latest ?? { samples }).samples, sample]));
  on<MonitorState>('state', (given) => {
    if (latest !== undefined) latest = { ...latest, state: given };
    else {
      state = given;
      showState();
    }
  });
  source.addEventListener('error', () => {
    const why = `no connection since ${timeOfDay(Date.now())}; trying again`;
    // A stream that broke is opened again by the browser, one that was refused is not.
    if (source.readyState === EventSource.CLOSED) reconnect(why, RETRY_MS);
    else showDown(why);
  });
  awaitMore();
}

function takeSamples(given: readonly Sample[]): void {
  const kept = given.slice(-MOST_SAMPLES);
  if (latest !== undefined) latest = { ...latest, samples: kept };
  else {
    samples = kept;
    showSamples();
  }
}

/** The figures stand still; filters and the choice of a database go on. */
function togglePause(): void {
  if (latest === undefined) latest = { samples, state };
  else {
    ({ samples, state } = latest);
    latest = undefined;
    showAll();
  }
  pause.setAttribute('aria-pressed', String(latest !== undefined));
}

function listen(): void {
  select.addEventListener('change', showAll);
  filter.addEventListener('input', showStatements);
  pause.addEventListener('click', togglePause);
  byId('reset').addEventListener('click', () => {
    const say = (text: string) => setText(byId('reset-said'), text);
    void change('/reset-performance').then(
      () => say('Reset.'),
      (error: Error) => say(error.message),
    );
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const applyTheme = () => {
    const isDark = theme.value === 'dark' || (theme.value === 'auto' && dark.matches);
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    if (samples.length > 0) charts.recolour();
  };
  theme.value = localStorage.getItem(THEME) ?? 'auto';
  theme.addEventListener('change', () => {
    localStorage.setItem(THEME, theme.value);
    applyTheme();
  });
  dark.addEventListener('change', applyTheme);
  applyTheme();
}

function showAll(): void {
  showSamples();
  showState();
}

function showSamples(): void {
  if (samples.length === 0) return;
  charts.show(samples, select.value);
  showTiles();
}

function showState(): void {
  if (state === undefined) return;
  showDatabases(state.databases.map(({ name }) => name));
  showStatements();
  routes.update(state.routes);
  cacheCards.show(state.caches);
  const { suspects, databases, problems } = partOf(state, select.value);
  sections.loops.show(suspects, () => loopCards(suspects));
  sections.transactions.show(databases, () => transactionNodes(databases));
  sections.problems.show(problems, () => problemNodes(problems));
  setText(byId('since'), `Counted for ${duration(state.measuredMs)}; last seen at ${timeOfDay(state.at)}.`);
}

function showStatements(): void {
  if (state === undefined) return;
  const chosen = { words: filter.value, database: select.value };
  statements.update(state.statements.filter((one) => matches(one, chosen)));
}

function showDatabases(names: readonly string[]): void {
  for (const name of names) {
    if ([...select.options].some(({ value }) => value === name)) continue;
    select.append(element('option', { value: name }, name));
  }
}

interface Tile {
  readonly title: string;
  readonly value: string;
  readonly unit?: string;
  readonly level?: 'warn' | 'bad';
}

function showTiles(): void {
  const sample = samples.at(-1);
  if (sample === undefined) return;
  for (const { title, value, unit = '', level = '' } of tilesOf(sample)) {
    const id = `tile-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
    const tile = document.getElementById(id) ?? newTile(id, title);
    tile.dataset['level'] = level;
    setText(tile.querySelector('.value')!, value);
    setText(tile.querySelector('small')!, unit === '' ? '' : ` ${unit}`);
  }
}

function newTile(id: string, title: string): HTMLElement {
  const figure = element('dd', {}, element('span', { class: 'value' }), element('small'));
  const tile = element('div', { id }, element('dt', {}, title), figure);
  byId('tiles').append(tile);
  return tile;
}

function tilesOf(sample: Sample): Tile[] {
  const all = Object.entries(sample.databases)
    .filter(([name]) => select.value === '' || name === select.value)
    .map(([, one]) => one);
  const sum = (pick: (one: (typeof all)[number]) => number) =>
    all.reduce((total, one) => total + pick(one), 0);
  const [leased, max, waiting] = [sum((one) => one.leased), sum((one) => one.max), sum((one) => one.waiting)];
  const errors = sum((one) => one.errorsPerSecond);
  const p95 = Math.max(0, ...all.map((one) => one.p95Ms));
  const log = logBytes(all);
  const writes = Math.max(0, ...all.map((one) => one.writesPerCommit));
  return [
    { title: 'Statements', value: shortCount(sum((one) => one.queriesPerSecond)), unit: '/s' },
    { title: 'Statement p95', value: duration(p95) },
    { title: 'Errors', value: shortCount(errors), unit: '/s', ...(errors > 0 ? { level: 'bad' } : {}) },
    { title: 'Requests', value: shortCount(sample.requestsPerSecond), unit: '/s' },
    {
      title: 'Failed requests',
      value: shortCount(sample.failedRequestsPerSecond),
      unit: '/s',
      ...(sample.failedRequestsPerSecond > 0 ? { level: 'bad' } : {}),
    },
    {
      title: 'Connections in use',
      value: String(leased),
      unit: `of ${max}${waiting > 0 ? `, ${waiting} waiting` : ''}`,
      ...(waiting > 0 ? { level: 'warn' } : {}),
    },
    { title: 'Open transactions', value: shortCount(sum((one) => one.activeTransactions)) },
    { title: 'Writes per commit', value: writes === 0 ? '–' : writes.toFixed(1) },
    {
      title: 'Event loop p99',
      value: duration(sample.loopP99Ms),
      unit: `${percent(sample.loopUtilization)} busy`,
      ...(sample.loopP99Ms > 100 ? { level: 'warn' } : {}),
    },
    { title: 'Cache hits', value: sample.cacheHitRate === null ? '–' : percent(sample.cacheHitRate) },
    { title: 'Write-ahead log', value: log === null ? '–' : bytes(log) },
    { title: 'Memory', value: bytes(sample.rssBytes) },
  ];
}

/** Once, not at every attempt: it is read out. */
function showDown(why: string): void {
  if (status.dataset['state'] !== 'down') showStatus('down', why);
}

function showStatus(kind: 'live' | 'down', text: string): void {
  status.dataset['state'] = kind;
  setText(status, text);
}
