import { HTTPException } from 'hono/http-exception';
import type { CheckIn, Place } from './store.ts';

const WORDS = /[\p{L}\p{N}]+/gu;
const MOST_WORDS = 6;
const MOST_TEXT = 200;
const MOST_RADIUS_KM = 500;

/** The id of a city. @throws HTTPException 400 */
export function toCityId(given: unknown): number {
  const id = typeof given === 'string' ? Number(given) : given;
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return id;
  throw refused('a city id is a whole number above 0, like 2950159');
}

/** The words of a search, letters and digits alone, parted by one space. @throws HTTPException 400 */
export function toWords(given: string | undefined): string {
  const words = (given ?? '').slice(0, MOST_TEXT).match(WORDS)?.slice(0, MOST_WORDS) ?? [];
  if (words.join('').length < 2) throw refused('q needs at least two letters, like /cities?q=berl');
  return words.join(' ');
}

/** @throws HTTPException 400 */
export function toPlace(given: {
  lat: string | undefined;
  lon: string | undefined;
  km: string | undefined;
}): Place {
  return {
    latitude: toNumber('lat', given.lat, 90),
    longitude: toNumber('lon', given.lon, 180),
    radiusKm: given.km === undefined ? 50 : Math.abs(toNumber('km', given.km, MOST_RADIUS_KM)),
  };
}

/** @throws HTTPException 400 */
export function toCheckIn(given: unknown): CheckIn {
  if (typeof given !== 'object' || given === null) throw refused('a check-in is a JSON object');
  const { cityId, visitor, note = '' } = given as Record<string, unknown>;
  return { cityId: toCityId(cityId), visitor: toText('visitor', visitor, 1), note: toText('note', note, 0) };
}

/** How many cities the report on crowded places looks at. @throws HTTPException 400 */
export function toAmong(given: string | undefined): number {
  const among = Number(given ?? 1000);
  if (Number.isInteger(among) && among >= 1 && among <= 200_000) return among;
  throw refused('among is a whole number from 1 to 200000');
}

function toNumber(name: string, given: string | undefined, most: number): number {
  const number = given === undefined || given.trim() === '' ? Number.NaN : Number(given);
  if (Math.abs(number) <= most) return number;
  throw refused(`${name} is a number from ${-most} to ${most}, like /nearby?lat=52.52&lon=13.41`);
}

function toText(name: string, given: unknown, least: number): string {
  if (typeof given === 'string' && given.length >= least && given.length <= MOST_TEXT) return given;
  throw refused(`${name} is a text of ${least} to ${MOST_TEXT} characters`);
}

function refused(message: string): HTTPException {
  return new HTTPException(400, { message });
}
