import { ConnectionPoolExhaustedError, type MillpondError } from '../errors/index.ts';
import type { LeaseInfo, PoolStats } from './pool-stats.ts';
import { placeOf } from './trace.ts';

interface ExhaustedDetails {
  readonly name: string;
  readonly why: string;
  readonly stats: PoolStats;
  readonly longest: LeaseInfo | undefined;
  readonly failed: { readonly count: number; readonly error: MillpondError | undefined };
}

/** Says what happened, the numbers, and whom to ask first. */
export function exhaustedError({
  name,
  why,
  stats,
  longest,
  failed,
}: ExhaustedDetails): ConnectionPoolExhaustedError {
  const { leased, idle, waiting, connecting } = stats;
  const opening = connecting === 0 ? '' : `, ${connecting} being opened`;
  const state = `${why}: pool "${name}" has ${leased} leased, ${idle} idle, ${waiting} waiting${opening}`;
  const oldest =
    longest === undefined ? '' : `; the longest lease is ${age(longest.heldMs)} old${taker(longest)}`;
  const attempts = failed.count === 1 ? 'attempt' : `${failed.count} attempts`;
  const broken = failed.count === 0 ? '' : `; the last ${attempts} to open a connection failed (see cause)`;
  return new ConnectionPoolExhaustedError(`${state}${oldest}${broken}.`, { cause: failed.error });
}

function taker({ holder, takenAt }: LeaseInfo): string {
  if (holder === '' && takenAt === '') return '';
  const who = holder === '' ? '' : ` by ${holder}`;
  const place = takenAt === '' ? '' : ` ${placeOf(takenAt)}`;
  return `, taken${who}${place}`;
}

function age(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
