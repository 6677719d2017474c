import type { EventOf } from '../events/index.ts';
import { usersFrames } from '../stack/index.ts';
import type { MeasuredRequest, Repeats } from './request.ts';
import type { StatementRecord } from './statement-record.ts';
import { suggestJoin } from './suggest-join.ts';

/** A statement that one request sends again and again from one place: a query in a loop. */
export type NPlusOneSuspect = EventOf<'query:n-plus-one'>;

/** Different shapes of one request that are counted; more than that is not a loop but a report. */
const MOST_SHAPES = 200;
/** What was found out about a shape on a route, so that its next requests need no stacks. */
const MOST_VERDICTS = 1_000;
const VERDICT_HOLDS_MS = 60_000;
/** Frames of the libraries between the call and the loop come first. */
const FRAMES = 30;
/** Frames that two calls must share to count as one place. */
const FRAMES_OF_PLACE = 4;

/**
 * Looks for queries in loops: the same shape, at least `threshold` times in one request, more than half of
 * them from one place in the code. Only repetitions are traced, and those of one shape on one route once a
 * minute: making a stack costs more than a statement.
 */
export class NPlusOneDetector {
  readonly #threshold: number;
  readonly #verdicts = new Map<string, number>();

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** To be called as the statement is sent, on the caller's stack. */
  began(
    request: MeasuredRequest,
    record: StatementRecord,
    where: { readonly database: string; readonly now: () => number },
  ): NPlusOneSuspect | undefined {
    if (this.#threshold === 0) return undefined;
    const repeats = findRepeats(request.repeats, record);
    if (repeats === undefined) {
      const { repeats: older, parent } = request;
      const shapes = (older?.shapes ?? 0) + 1;
      if (shapes <= MOST_SHAPES) {
        request.repeats = { older, shapes, of: record, count: 1, parent, sites: undefined };
      }
      return undefined;
    }
    repeats.count += 1;
    if (repeats.count > this.#threshold) return undefined;
    // Most statements are sent once: what is known of the others is looked up at the second.
    if (repeats.count === 2 && !this.#isJudged(keyOf(request, record, where.database), where.now())) {
      repeats.sites = [];
    }
    repeats.sites?.push(captureStack());
    if (repeats.count < this.#threshold || repeats.sites === undefined) return undefined;
    this.#remember(keyOf(request, record, where.database), where.now());
    return this.#judge(request, record, { ...where, repeats });
  }

  clear(): void {
    this.#verdicts.clear();
  }

  #isJudged(key: string, nowMs: number): boolean {
    return nowMs - (this.#verdicts.get(key) ?? -Infinity) < VERDICT_HOLDS_MS;
  }

  #judge(
    request: MeasuredRequest,
    record: StatementRecord,
    { database, repeats }: { readonly database: string; readonly repeats: Repeats },
  ): NPlusOneSuspect | undefined {
    // Of several frames: a function of a repository may be called from many places without any loop.
    const place = majorityOf((repeats.sites ?? []).map(({ stack }) => placeOf(stack ?? '')));
    if (place === undefined) return undefined;
    const [callSite = 'an unknown place', ...callers] = place.split('\n');
    const { parent } = repeats;
    return {
      database,
      statement: record.id,
      ...(record.name === undefined ? {} : { name: record.name }),
      text: record.text,
      route: request.route,
      callSite,
      callers,
      repeats: repeats.count,
      ...(parent === undefined || parent.rows < this.#threshold ? {} : { parent }),
      suggestion: suggestJoin(record.text),
    };
  }

  #remember(key: string, nowMs: number): void {
    this.#verdicts.delete(key);
    this.#verdicts.set(key, nowMs);
    // The map keeps the order of setting: its first entry is the oldest.
    if (this.#verdicts.size > MOST_VERDICTS) this.#verdicts.delete(this.#verdicts.keys().next().value!);
  }
}

function keyOf({ route }: MeasuredRequest, { id }: StatementRecord, database: string): string {
  return `${route}\n${database}\n${id}`;
}

function findRepeats(newest: Repeats | undefined, record: StatementRecord): Repeats | undefined {
  let repeats = newest;
  while (repeats !== undefined && repeats.of !== record) repeats = repeats.older;
  return repeats;
}

function captureStack(): { readonly stack?: string } {
  const site: { readonly stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(site, captureStack);
  Error.stackTraceLimit = limit;
  return site;
}

function placeOf(stack: string): string {
  return usersFrames(stack).slice(0, FRAMES_OF_PLACE).join('\n');
}

/** The text that more than half of them share. */
function majorityOf(places: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return [...counts].find(([, count]) => count > places.length / 2)?.[0];
}
