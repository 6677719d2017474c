import { ATTRIBUTION } from '../dataset/geonames.ts';
import { describeMachine } from '../measure/machine.ts';
import type { Facts } from '../measure/plain-reads.ts';
import { ANALYZER_PAUSE_MS, USERS } from '../measure/run-round.ts';
import { toCount, toText } from './numbers.ts';
import { paint } from './paint.ts';

/** What is about to be measured, and on what: the lines before the first round. */
export function toIntroduction(
  facts: Facts,
  plan: { readonly rounds: number; readonly seconds: number },
): string[] {
  const roundSeconds = toText(plan.seconds / plan.rounds);
  const facets = {
    data: `${toCount(facts.cities)} cities of ${ATTRIBUTION}`,
    machine: describeMachine(facts.sqliteVersion),
    'both sides': 'WAL, synchronous=FULL, same SQL, indexes and HTTP code, own copies',
    load: `${USERS} users in a process of their own, on the same cores`,
    background: `jobs every second; an analyzer that rests ${ANALYZER_PAUSE_MS} ms between reports`,
    measured: `${plan.rounds} rounds of ${roundSeconds} s each, taking turns; medians`,
  };
  const lines = Object.entries(facets).map(([name, text]) => `  ${paint('dim', name.padEnd(11))} ${text}`);
  return [
    '',
    `  ${paint('bold', 'One SQLite file: HTTP API, scheduler and analyzer at once')}`,
    '',
    ...lines,
    '',
  ];
}
