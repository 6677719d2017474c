import type { Labels, MetricFamily, Sample } from './metric-families.ts';

/** Of {@link prometheusText}: https://prometheus.io/docs/instrumenting/exposition_formats */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Whose figures are exported. */
export interface FamilySource {
  families(): MetricFamily[];
}

/** The figures in Prometheus' text format. */
export function prometheusText(source: FamilySource): string {
  return source.families().map(familyText).join('\n');
}

function familyText({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.map((sample) => sampleText(name, sample));
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function sampleText(name: string, { suffix = '', labels, value }: Sample): string {
  return `${name}${suffix}${labelsText(labels)} ${value}\n`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** The two calls of a `Registry` of prom-client that are needed. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Adds the figures to the application's own registry of `prom-client`, beside its other metrics. They are
 * read when the registry is. A name that comes later (the first cache, say) is there from the next reading.
 * @returns a function that takes them out
 */
export function registerWithPrometheus(source: FamilySource, registry: PrometheusRegistry): () => void {
  const names = new Set<string>();
  const add = ({ name, help, type }: MetricFamily) => {
    if (names.has(name)) return;
    names.add(name);
    registry.registerMetric(collector(name, { help, type }, read) as never);
  };
  // A registry asks each of its metrics in turn: one reading answers all that ask in the same step.
  let current: ReadonlyMap<string, MetricFamily> | undefined;
  const read = (name: string) => {
    if (current === undefined) {
      const families = source.families();
      families.forEach(add);
      current = new Map(families.map((one) => [one.name, one]));
      queueMicrotask(() => (current = undefined));
    }
    return current.get(name)?.samples ?? [];
  };
  source.families().forEach(add);
  return () => names.forEach((name) => registry.removeSingleMetric(name));
}

/** What a registry asks of each of its metrics: https://github.com/siimon/prom-client */
function collector(
  name: string,
  { help, type }: Pick<MetricFamily, 'help' | 'type'>,
  read: (name: string) => readonly Sample[],
) {
  return {
    name,
    help,
    type,
    aggregator: 'sum',
    get: () => {
      const values = read(name).map(({ suffix = '', labels, value }) => ({
        metricName: `${name}${suffix}`,
        labels,
        value,
      }));
      return Promise.resolve({ name, help, type, aggregator: 'sum', values });
    },
    // A registry resets all its metrics at once; these belong to `source`.
    reset: () => undefined,
  };
}
