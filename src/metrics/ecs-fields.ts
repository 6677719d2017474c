type Fields = Record<string, unknown>;

/** The part of pino's options that is wrapped; those of `@elastic/ecs-pino-format` fit. */
export interface EcsLogOptions {
  readonly formatters?: { log?: ((fields: Fields) => Fields) | undefined } | undefined;
}

const NANOS_PER_MS = 1e6;

/**
 * Options for pino that put millpond's lines into the Elastic Common Schema:
 * `pino(withEcsFields(ecsFormat({ serviceName: 'shop' })), shipper.stream)`. Without it, the name of an event
 * would stand where ECS has an object, and Elasticsearch would refuse every line.
 */
export function withEcsFields<Options extends EcsLogOptions>(options: Options): Options {
  const format = options.formatters?.log ?? ((fields: Fields) => fields);
  const log = (fields: Fields) => format(toEcsFields(fields));
  return { ...options, formatters: { ...options.formatters, log } };
}

/**
 * The fields of a line of millpond's, by https://www.elastic.co/guide/en/ecs/current/ecs-event.html; those
 * that ECS has no name for stand under `millpond`. Lines of others are left as they are.
 */
export function toEcsFields(fields: Fields): Fields {
  const { event, err, durationMs, ...own } = fields;
  if (typeof event !== 'string') return fields;
  return {
    event: {
      action: event,
      category: ['database'],
      kind: 'event',
      provider: 'millpond',
      ...(typeof durationMs === 'number' ? { duration: Math.round(durationMs * NANOS_PER_MS) } : {}),
    },
    millpond: own,
    ...(err === undefined ? {} : { err }),
  };
}
