import type uPlot from 'uplot';
import type { DatabaseSample, Sample } from '../sampler.ts';
import { element, setText } from './dom.ts';
import { bytes, duration, percent, shortCount } from './numbers.ts';

/** The script before this one brings it. */
declare const window: Window & {
  readonly uPlot: new (options: uPlot.Options, data: uPlot.AlignedData, target: HTMLElement) => uPlot;
};

interface Series {
  readonly label: string;
  readonly of: (sample: Sample, databases: readonly DatabaseSample[]) => number | null;
}

interface ChartPlan {
  readonly title: string;
  readonly format: (value: number) => string;
  /** Distances of the marks beside it, where halves would make no sense. Otherwise as it comes. */
  readonly steps?: readonly number[];
  /** Where the axis ends, whatever is shown. Otherwise above the highest point. */
  readonly top?: number;
  readonly series: readonly Series[];
  /** Not shown where none of the databases has it. */
  readonly isOptional?: true;
}

type Pick1 = (sample: DatabaseSample) => number;
const sumOf = (pick: Pick1) => (_: Sample, all: readonly DatabaseSample[]) =>
  all.reduce((sum, one) => sum + pick(one), 0);
const mostOf = (pick: Pick1) => (_: Sample, all: readonly DatabaseSample[]) => Math.max(0, ...all.map(pick));

/** Of all logs together; null where there is none. */
export function logBytes(databases: readonly DatabaseSample[]): number | null {
  const sizes = databases.map((one) => one.walBytes).filter((size) => size !== null);
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
const PLANS: readonly ChartPlan[] = [
  {
    title: 'Throughput, per second',
    format: shortCount,
    series: [
      { label: 'statements', of: sumOf((one) => one.queriesPerSecond) },
      { label: 'requests', of: (sample) => sample.requestsPerSecond },
      { label: 'transactions', of: sumOf((one) => one.transactionsPerSecond) },
      { label: 'errors', of: sumOf((one) => one.errorsPerSecond) },
    ],
  },
  {
    title: 'Latency of statements',
    format: duration,
    series: [
      { label: 'p50', of: mostOf((one) => one.p50Ms) },
      { label: 'p95', of: mostOf((one) => one.p95Ms) },
      { label: 'p99', of: mostOf((one) => one.p99Ms) },
    ],
  },
  {
    title: 'Connections',
    format: shortCount,
    steps: WHOLE,
    series: [
      { label: 'in use', of: sumOf((one) => one.leased) },
      { label: 'waiting', of: sumOf((one) => one.waiting) },
      { label: 'open transactions', of: sumOf((one) => one.activeTransactions) },
    ],
  },
  {
    title: 'Event loop',
    format: duration,
    series: [{ label: 'delay p99', of: (sample) => sample.loopP99Ms }],
  },
  {
    title: 'Write-ahead log',
    format: bytes,
    isOptional: true,
    series: [{ label: 'size', of: (_, all) => logBytes(all) }],
  },
  {
    title: 'Cache hits',
    format: percent,
    steps: [0.25, 0.5],
    top: 1.05,
    series: [{ label: 'hits', of: (sample) => sample.cacheHitRate }],
  },
];
const HEIGHT = 176;
const AXIS_FONT = '11px system-ui, sans-serif';

/** The charts of the overview: the same samples, drawn anew whenever one comes. */
export class Charts {
  readonly #charts: readonly Chart[];

  constructor(target: HTMLElement) {
    this.#charts = PLANS.map((plan) => new Chart(plan, target));
  }

  show(samples: readonly Sample[], database: string): void {
    for (const chart of this.#charts) chart.show(samples, database);
  }

  /** Colours are read when a chart is made. */
  recolour(): void {
    for (const chart of this.#charts) chart.recolour();
  }
}

class Chart {
  readonly #plan: ChartPlan;
  readonly #figure: HTMLElement;
  readonly #place = element('div', { class: 'plot', role: 'img' });
  readonly #values: readonly HTMLElement[];
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];

  constructor(plan: ChartPlan, target: HTMLElement) {
    this.#plan = plan;
    this.#values = plan.series.map(() => element('b', {}, '–'));
    const entries = plan.series.map(({ label }, index) =>
      element(
        'span',
        {},
        element('i', { 'data-series': String(index + 1) }),
        `${label} `,
        this.#values[index],
      ),
    );
    const caption = element('figcaption', {}, plan.title, element('span', { class: 'legend' }, ...entries));
    this.#figure = element('figure', {}, caption, this.#place);
    target.append(this.#figure);
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#place);
  }

  show(samples: readonly Sample[], database: string): void {
    const chosen = samples.map((sample) => chosenOf(sample, database));
    const lines = this.#plan.series.map(({ of }) =>
      samples.map((sample, index) => of(sample, chosen[index]!)),
    );
    this.#figure.hidden = this.#plan.isOptional === true && lines.flat().every((value) => value === null);
    this.#data = [samples.map(({ at }) => at / 1_000), ...lines];
    const last = lines.map((line) => line.at(-1));
    const texts = last.map((value) => (typeof value === 'number' ? this.#plan.format(value) : '–'));
    for (const [index, text] of texts.entries()) setText(this.#values[index]!, text);
    const words = this.#plan.series.map(({ label }, index) => `${label} ${texts[index]}`).join(', ');
    this.#place.setAttribute('aria-label', `${this.#plan.title}, now: ${words}`);
    if (this.#plot === undefined) this.recolour();
    else this.#plot.setData(this.#data);
  }

  recolour(): void {
    this.#plot?.destroy();
    this.#plot = new window.uPlot(this.#options(), this.#data, this.#place);
  }

  #size(): { readonly width: number; readonly height: number } {
    return { width: Math.max(160, this.#place.clientWidth), height: HEIGHT };
  }

  #options(): uPlot.Options {
    const [quiet, grid] = [colour('--quiet'), colour('--grid')];
    const axis = {
      stroke: quiet,
      font: AXIS_FONT,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    };
    const { format, steps, top } = this.#plan;
    return {
      ...this.#size(),
      // Half a time of day fits beside the last mark.
      padding: [10, 30, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { y: { range: (_, __, most) => [0, top ?? (most > 0 ? most * 1.15 : 1)] } },
      axes: [
        {
          ...axis,
          size: 28,
          space: 70,
          values: (_, times) => times.map((at) => new Date(at * 1_000).toLocaleTimeString('en-GB')),
        },
        {
          ...axis,
          size: 66,
          space: 34,
          ...(steps === undefined ? {} : { incrs: [...steps] }),
          values: (_, marks) => marks.map((mark) => format(mark)),
        },
      ],
      series: [
        {},
        ...this.#plan.series.map(({ label }, index) => {
          const stroke = colour(`--s${index + 1}`);
          const fill = index === 0 ? { fill: `${stroke}22` } : {};
          return { label, stroke, width: 1.75, points: { show: false }, spanGaps: true, ...fill };
        }),
      ],
    };
  }
}

function chosenOf({ databases }: Sample, database: string): readonly DatabaseSample[] {
  return database === ''
    ? Object.values(databases)
    : [databases[database]].filter((one) => one !== undefined);
}

function colour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}
