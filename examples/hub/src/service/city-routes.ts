import { Hono } from 'hono';
import type { Cache } from '../millpond/cache.ts';
import { HttpProblem, readJson } from '../millpond/hono.ts';
import { toAmong, toCheckIn, toCountryPage, toId, toPlace, toWords } from './input.ts';
import { keepJson, sendKept } from './kept-json.ts';
import type { CityStore, Page, Place } from './store.ts';

/** Cities and check-ins. What takes longer than a look-up is kept until one of its tables changes. */
export function cityRoutes(store: CityStore, cache: Cache): Hono {
  const routes = new Hono();
  const search = cache.cached(async function searchCities(words: string) {
    return keepJson(store.searchCities(words));
  });
  const near = cache.cached(async function citiesNear(place: Place) {
    return keepJson(store.citiesNear(place));
  });
  const ofCountry = cache.cached(async function citiesOfCountry(page: Page) {
    return keepJson(store.citiesOfCountry(page), 'small');
  });
  const countries = cache.cached(async function allCountries() {
    return keepJson(store.countries(), 'small');
  });
  const trending = cache.cached(async function trendingCities() {
    return keepJson(store.trending());
  });
  const crowded = cache.cached(async function crowdedPlaces(among: number) {
    return keepJson(store.crowdedPlaces(among));
  });

  routes.get('/cities/:id', async (c) => {
    const city = await store.cityById(toId(c.req.param('id')));
    if (city === undefined) throw new HttpProblem(404, { detail: 'There is no such city.' });
    return c.json(city);
  });
  routes.get('/cities', async (c) => {
    const { country, page, q } = c.req.query();
    if (country === undefined) return sendKept(c, await search(toWords(q)));
    return sendKept(c, await ofCountry(toCountryPage(country, page)));
  });
  routes.get('/nearby', async (c) => sendKept(c, await near(toPlace(c.req.query()))));
  routes.get('/countries', async (c) => sendKept(c, await countries()));
  routes.get('/trending', async (c) => sendKept(c, await trending()));
  routes.get('/crowded', async (c) => sendKept(c, await crowded(toAmong(c.req.query('among')))));
  routes.post('/checkins', async (c) => {
    // One statement: it is durable when this resolves, and shares its flush with others.
    const id = await store.checkIn(toCheckIn(await readJson(c)));
    if (id === undefined) throw new HttpProblem(422, { detail: 'There is no such city.' });
    return c.json({ id }, 201);
  });
  return routes;
}
