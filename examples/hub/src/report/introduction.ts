import type { Arena } from '../arena/arena.ts';
import { ATTRIBUTION } from '../dataset/geonames.ts';
import { describeMachine } from '../measure/machine.ts';
import { ANALYZER_PAUSE_MS, USERS } from '../measure/run-round.ts';
import { toCount, toText } from './numbers.ts';
import { paint } from './paint.ts';

/** What is about to be measured, and on what: the lines before the first round. */
export function toIntroduction(
  { facts, labels }: Pick<Arena, 'facts' | 'labels'>,
  plan: { readonly rounds: number; readonly seconds: number },
): string[] {
  const roundSeconds = toText(plan.seconds / plan.rounds);
  const facets = {
    data: `${toCount(facts.cities)} cities of ${ATTRIBUTION}`,
    machine: describeMachine(facts.engine),
    ...labels.facets,
    load: `${USERS} users in a process of their own, on the same cores`,
    background: `jobs every second; an analyzer that rests ${ANALYZER_PAUSE_MS} ms between reports`,
    measured: `${plan.rounds} rounds of ${roundSeconds} s each, taking turns; medians`,
  };
  const lines = Object.entries(facets).map(([name, text]) => `  ${paint('dim', name.padEnd(11))} ${text}`);
  return ['', `  ${paint('bold', labels.title)}`, '', ...lines, ''];
}
