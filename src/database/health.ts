import type { ConnectionError } from '../errors/index.ts';
import type { Backend } from './backend.ts';
import type { HealthCheckResult, HealthMonitor } from './health-monitor.ts';
import type { DatabaseServices } from './services.ts';

export interface Health {
  /** `down` when any side is. */
  readonly status: 'up' | 'down';
  /** The primary, and each replica. */
  readonly checks: readonly HealthCheckResult[];
  /** False where the database answers and should not be given requests: its migrations are pending. */
  readonly ready: boolean;
  /** Why it is not ready, in sentences. */
  readonly notReady: readonly string[];
}

interface HealthParts {
  readonly backend: Backend;
  readonly health: HealthMonitor;
  readonly services: DatabaseServices;
}

/** Asks each side now. Never rejects: a database that does not answer is a result. */
export async function askHealth({ backend, health, services }: HealthParts): Promise<Health> {
  const [check, replicas = []] = await Promise.all([health.check(), backend.replicaHealth?.()]);
  const checks = [check, ...replicas];
  if (check.error !== undefined)
    return { status: 'down', checks, ready: false, notReady: [check.error.message] };
  const notReady = await services.readiness.unmet();
  // A database without its replicas can still do everything.
  const status = replicas.every((replica) => replica.status === 'up') ? 'up' : 'down';
  return { status, checks, ready: notReady.length === 0, notReady };
}

/** Of a database that is closed. */
export function closedHealth(error: ConnectionError): Health {
  const checks = [{ side: 'primary', status: 'down', latencyMs: 0, error } as const];
  return { status: 'down', checks, ready: false, notReady: [error.message] };
}
