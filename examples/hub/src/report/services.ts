import type { ServiceFigures } from '../whole/measure-services.ts';
import { toCount, toGain, toText } from './numbers.ts';
import { paint } from './paint.ts';
import { toTable, type Row } from './table.ts';

const MEGABYTE = 1_048_576;
const NOTE = [
  '  naive: the same routes and SQL, nothing around them. full: millpond/hono, cache, metrics.',
  '  p95 and bytes: gain is how many times less. Hits are of all calls that the cache was asked.',
];

/** Both whole services side by side, each line with what it was meant to reach. */
export function toServices(
  { naive, full }: { readonly naive: ServiceFigures; readonly full: ServiceFigures },
  nameOfNaive: string,
): string[] {
  const less = (label: string, pick: (figures: ServiceFigures) => number): Row => ({
    label,
    before: toText(pick(naive)),
    after: toText(pick(full)),
    gain: toGain(pick(naive), pick(full)),
  });
  const rows: Row[] = [
    {
      label: 'requests/s (goal 10×)',
      before: toText(naive.requestsPerSecond),
      after: toText(full.requestsPerSecond),
      gain: toGain(full.requestsPerSecond, naive.requestsPerSecond),
    },
    less('p50, ms', ({ latency }) => latency.p50),
    less('p95, ms (goal 4×)', ({ latency }) => latency.p95),
    less('p99, ms', ({ latency }) => latency.p99),
    less('KB of a list (goal 5×)', ({ bytesOfList }) => bytesOfList / 1000),
    less('1 s call, ms (goal 1,000×)', ({ slowCallMs }) => slowCallMs),
    { label: 'cache hits (goal 85 %)', before: 'no cache', after: `${toText(full.hitRate * 100)} %` },
    less('MB at 40/s (goal 1.4×)', ({ memoryBytes }) => memoryBytes / MEGABYTE),
    { label: 'failures', before: toCount(naive.failures), after: toCount(full.failures) },
  ];
  const section = { title: 'The whole service', unit: '', rows };
  const names = { before: 'naive', after: 'full', nameOfBefore: nameOfNaive };
  return [...toTable([section], names), '', ...NOTE.map((line) => paint('dim', line))];
}
