import { SLOW_QUERY_MS } from '../arena/arena.ts';
import { ENDPOINTS, type Latency } from '../load/protocol.ts';
import type { Figures } from '../measure/figures.ts';
import { ON_TIME_MS } from '../service/scheduler.ts';
import { toCount, toGain, toText } from './numbers.ts';
import { paint } from './paint.ts';
import { squeeze, toBar, toSparkline } from './spark.ts';
import { toTable, type Row, type Section } from './table.ts';

const BAR = 40;
const SPARK = 68;
const GAIN_NOTE = '  gain: how many times better; of response times, the p99';

interface Pair {
  readonly before: Figures;
  readonly after: Figures;
}

/** Both versions side by side, as the lines to print. */
export function toComparison(pair: Pair, nameOfBefore: string): string[] {
  const sections = [throughput(pair), latencies(pair), burst(pair), eventLoop(pair), background(pair)];
  return [...toTable(sections, { nameOfBefore }), '', paint('dim', GAIN_NOTE), '', ...pictures(pair)];
}

function throughput(pair: Pair): Section {
  const rate = (label: string, pick: (figures: Figures) => number): Row => ({
    label,
    before: toText(pick(pair.before)),
    after: toText(pick(pair.after)),
    gain: toGain(pick(pair.after), pick(pair.before)),
  });
  return {
    title: 'Served',
    unit: 'per second',
    rows: [
      rate('requests', (figures) => figures.requestsPerSecond),
      rate('durable check-ins', (figures) => figures.checkInsPerSecond),
      {
        label: 'writes in one commit',
        before: toText(pair.before.writesPerCommit),
        after: toText(pair.after.writesPerCommit),
      },
    ],
  };
}

function latencies(pair: Pair): Section {
  const rows = ([...ENDPOINTS, 'all'] as const).map((name) => {
    const before = pair.before.latency[name];
    const after = pair.after.latency[name];
    const label = name === 'all' ? 'all requests' : name;
    return {
      label,
      before: percentiles(before),
      after: percentiles(after),
      gain: toGain(before.p99, after.p99),
    };
  });
  return { title: 'Response time, ms', unit: 'p50    p95    p99', rows };
}

function burst({ before, after }: Pair): Section {
  const lookUps = (name: 'p50' | 'max'): Row => ({
    label: `look-ups meanwhile, ${name}`,
    before: toText(before.lookUpsInBurst[name]),
    after: toText(after.lookUpsInBurst[name]),
    gain: toGain(before.lookUpsInBurst[name], after.lookUpsInBurst[name]),
  });
  return {
    title: `Ten ${SLOW_QUERY_MS} ms requests at once`,
    unit: 'ms',
    rows: [
      {
        label: 'all ten answered after',
        before: toText(before.burstMs),
        after: toText(after.burstMs),
        gain: toGain(before.burstMs, after.burstMs),
      },
      lookUps('p50'),
      lookUps('max'),
    ],
  };
}

function eventLoop(pair: Pair): Section {
  const delay = (label: string, name: 'p50' | 'p99' | 'max'): Row => ({
    label,
    before: toText(pair.before.eventLoop[name]),
    after: toText(pair.after.eventLoop[name]),
    gain: toGain(pair.before.eventLoop[name], pair.after.eventLoop[name]),
  });
  return {
    title: 'Event-loop delay',
    unit: 'ms',
    rows: [delay('p50', 'p50'), delay('p99', 'p99'), delay('max', 'max')],
  };
}

function background({ before, after }: Pair): Section {
  const onTime = ({ jobsOnTime, jobRuns }: Figures): string => `${jobsOnTime} of ${jobRuns}`;
  return {
    title: 'In the background',
    unit: '',
    rows: [
      { label: `jobs on time (within ${ON_TIME_MS} ms)`, before: onTime(before), after: onTime(after) },
      {
        label: 'latest job, ms',
        before: toText(before.worstJobDelayMs),
        after: toText(after.worstJobDelayMs),
        gain: toGain(before.worstJobDelayMs, after.worstJobDelayMs),
      },
      {
        label: 'analyzer reports',
        before: toCount(before.reports),
        after: toCount(after.reports),
        gain: toGain(after.reports, before.reports),
      },
    ],
  };
}

function pictures({ before, after }: Pair): string[] {
  const rows = [
    ['before', before, 'yellow'],
    ['after', after, 'green'],
  ] as const;
  const mostRate = Math.max(before.requestsPerSecond, after.requestsPerSecond);
  const mostAnswers = Math.max(...before.timeline, ...after.timeline, 1);
  const bars = rows.map(([name, { requestsPerSecond }, colour]) => {
    const bar = paint(colour, toBar(requestsPerSecond, mostRate, BAR));
    return `    ${name.padEnd(7)} ${bar} ${toText(requestsPerSecond)}`;
  });
  const sparks = rows.map(([name, { timeline }, colour]) => {
    return `    ${name.padEnd(7)} ${paint(colour, toSparkline(squeeze(timeline, SPARK), mostAnswers))}`;
  });
  return [
    paint('heading', '  Requests per second'),
    ...bars,
    '',
    paint('heading', '  Answers over time') + paint('dim', ' (a dot: none in that tenth of a second)'),
    ...sparks,
  ];
}

function percentiles({ p50, p95, p99 }: Latency): string {
  return [p50, p95, p99].map((value) => toText(value).padStart(7)).join('');
}
