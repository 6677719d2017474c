import { HTTPException } from 'hono/http-exception';
import type { CheckIn, NewNote, Page, Place } from './store.ts';

const WORDS = /[\p{L}\p{N}]+/gu;
const MOST_WORDS = 6;
const MOST_TEXT = 200;
const MOST_RADIUS_KM = 500;
const MOST_NOTE = 2000;
const MOST_TAGS = 10;
const LEAST_PASSWORD = 8;
const TAG = /^[\p{Ll}\p{Lo}\p{N}\-]{1,30}$/v;
/** As many as a list of cities has on each of its pages. */
const PAGE_SIZE = 100;

/** @throws HTTPException 400 */
export function toId(given: unknown): number {
  const id = typeof given === 'string' ? Number(given) : given;
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return id;
  throw refused('an id is a whole number above 0, like 2950159');
}

/** The words of a search, letters and digits alone, parted by one space. @throws HTTPException 400 */
export function toWords(given: string | undefined): string {
  const words = (given ?? '').slice(0, MOST_TEXT).match(WORDS)?.slice(0, MOST_WORDS) ?? [];
  if (words.join('').length < 2) throw refused('q needs at least two letters, like ?q=berl');
  return words.join(' ');
}

/** @throws HTTPException 400 */
export function toPlace(given: {
  readonly lat?: string | undefined;
  readonly lon?: string | undefined;
  readonly km?: string | undefined;
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
  return { cityId: toId(cityId), visitor: toText('visitor', visitor, 1), note: toText('note', note, 0) };
}

/** One page of a country's cities, the first one where none is asked for. @throws HTTPException 400 */
export function toCountryPage(country: string, given: string | undefined): Page {
  const page = Number(given ?? 1);
  if (!/^[A-Z]{2}$/.test(country)) throw refused('country is two capital letters, like /cities?country=AT');
  if (!Number.isInteger(page) || page < 1 || page > 1000)
    throw refused('page is a whole number from 1 to 1000');
  return { country, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE };
}

/** @throws HTTPException 400 */
export function toNote(given: unknown): NewNote {
  if (typeof given !== 'object' || given === null) throw refused('a note is a JSON object');
  const { cityId, text, tags = [] } = given as Record<string, unknown>;
  if (!Array.isArray(tags) || tags.length > MOST_TAGS)
    throw refused(`tags are a list of at most ${MOST_TAGS}`);
  return {
    cityId: toId(cityId),
    text: toText('text', text, 1, MOST_NOTE),
    tags: [...new Set(tags.map(toTag))],
  };
}

/** Which notes a list is about. @throws HTTPException 400 */
export function toNoteFilter({ city, tag, before }: Readonly<Record<string, string>>): {
  readonly cityId?: number | undefined;
  readonly tag?: string | undefined;
  readonly before?: number | undefined;
} {
  return {
    cityId: city === undefined ? undefined : toId(city),
    tag: tag === undefined ? undefined : toTag(tag),
    before: before === undefined ? undefined : toId(before),
  };
}

/** @throws HTTPException 400 */
export function toCredentials(given: unknown): { readonly name: string; readonly password: string } {
  if (typeof given !== 'object' || given === null) throw refused('name and password are a JSON object');
  const { name, password } = given as Record<string, unknown>;
  return { name: toText('name', name, 1), password: toText('password', password, LEAST_PASSWORD) };
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

function toText(name: string, given: unknown, least: number, most: number = MOST_TEXT): string {
  if (typeof given === 'string' && given.length >= least && given.length <= most) return given;
  throw refused(`${name} is a text of ${least} to ${most} characters`);
}

function toTag(given: unknown): string {
  if (typeof given === 'string' && TAG.test(given)) return given;
  throw refused('a tag has 1 to 30 small letters, digits and -');
}

function refused(message: string): HTTPException {
  return new HTTPException(400, { message });
}
