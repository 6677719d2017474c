import { is, Param, Placeholder } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * The parameters of a query, with the values of its placeholders. Unlike drizzle's own it keeps null as NULL,
 * as it is without a placeholder: no column maps it, which is an error for times, and JSON's `null` for JSON.
 * @throws UsageError where a placeholder has no value
 */
export function withValues(params: readonly unknown[], values: Values = {}): unknown[] {
  return params.map((param) => {
    if (typeof param !== 'object' || param === null) return param;
    if (is(param, Placeholder)) return valueOf(param, values);
    if (!is(param, Param) || !is(param.value, Placeholder)) return param;
    const value = valueOf(param.value, values);
    return value === null ? null : param.encoder.mapToDriverValue(value);
  });
}

function valueOf({ name }: Placeholder, values: Values): unknown {
  if (name in values) return values[name];
  throw new UsageError(`No value for placeholder "${name}" was provided.`);
}
