import { Hono } from 'hono';
import { systemClock } from '../async/index.ts';
import type { Database } from '../database/index.ts';

export interface HealthRoutesOptions {
  /** What must answer for the service to be ready. @default none */
  readonly databases?: readonly Database[] | undefined;
  /** Aborted when the service begins to stop: it is no longer ready, though it still answers. */
  readonly stopping?: AbortSignal | undefined;
}

interface Readiness {
  readonly status: 'up' | 'down';
  readonly databases: Readonly<Record<string, 'up' | 'down'>>;
}

/** A balancer that asks often, and anybody else who does, costs the databases one check in this time. */
const FRESH_MS = 1_000;
const HEADERS = { 'Cache-Control': 'no-store' };

/**
 * `/health/live`: the process answers. `/health/ready`: its databases are ready for requests (they answer,
 * and no migration is pending; a lost replica does not matter), and it is not about to stop; otherwise 503.
 * Neither says why: that is for the log.
 */
export function healthRoutes({ databases = [], stopping }: HealthRoutesOptions = {}): Hono {
  let checked: { readonly atMs: number; readonly result: Promise<Readiness> } | undefined;
  const readiness = (): Promise<Readiness> => {
    if (checked === undefined || systemClock.now() >= checked.atMs + FRESH_MS) {
      checked = { atMs: systemClock.now(), result: check(databases) };
    }
    return checked.result;
  };
  const routes = new Hono();
  routes.get('/health/live', (context) => context.json({ status: 'up' }, 200, HEADERS));
  routes.get('/health/ready', async (context) => {
    if (stopping?.aborted === true) return context.json({ status: 'stopping' }, 503, HEADERS);
    const result = await readiness();
    return context.json(result, result.status === 'up' ? 200 : 503, HEADERS);
  });
  return routes;
}

async function check(databases: readonly Database[]): Promise<Readiness> {
  const checks = await Promise.all(
    databases.map(async (database) => {
      const { ready } = await database.health();
      return [database.name, ready ? 'up' : 'down'] as const;
    }),
  );
  const status = checks.every(([, one]) => one === 'up') ? 'up' : 'down';
  return { status, databases: Object.fromEntries(checks) };
}
