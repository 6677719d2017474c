import type { Endpoint, Target } from './protocol.ts';

/** What goes to the server. */
export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface PlannedRequest extends Sent {
  readonly endpoint: Endpoint;
}

/** What users do: mostly look, sometimes check in. */
const MIX: readonly {
  readonly upTo: number;
  readonly plan: (target: Target, random: () => number) => PlannedRequest;
}[] = [
  { upTo: 0.5, plan: lookUp },
  { upTo: 0.65, plan: search },
  { upTo: 0.8, plan: citiesNear },
  { upTo: 1, plan: checkIn },
];

/** The next request of a user whose choices come from `random`. */
export function planRequest(targets: readonly Target[], random: () => number): PlannedRequest {
  const target = targets[Math.floor(random() * targets.length)];
  if (target === undefined) throw new Error('BUG: no cities to ask for');
  const choice = random();
  const { plan } = MIX.find(({ upTo }) => choice < upTo) ?? { plan: lookUp };
  return plan(target, random);
}

export function lookUp(target: Target): PlannedRequest {
  return { endpoint: 'GET /cities/:id', method: 'GET', path: `/cities/${target.id}` };
}

/** Types the first letters of a name, as a search box would. */
export function search(target: Target, random: () => number): PlannedRequest {
  const name = target.name.replaceAll(/[^\p{L}]+/gu, ' ').trim();
  const letters = name.slice(0, 3 + Math.floor(random() * 4));
  return { endpoint: 'GET /cities?q=', method: 'GET', path: `/cities?q=${encodeURIComponent(letters)}` };
}

export function citiesNear(target: Target): PlannedRequest {
  return {
    endpoint: 'GET /nearby',
    method: 'GET',
    path: `/nearby?lat=${target.latitude}&lon=${target.longitude}&km=30`,
  };
}

export function checkIn(target: Target, random: () => number): PlannedRequest {
  const body = JSON.stringify({
    cityId: target.id,
    visitor: `visitor ${Math.floor(random() * 5000)}`,
    note: 'hello',
  });
  return { endpoint: 'POST /checkins', method: 'POST', path: '/checkins', body };
}
