import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { toAmong, toCheckIn, toCountryPage, toId, toPlace, toWords } from '../service/input.ts';
import { sendJson } from '../service/kept-json.ts';
import type { CityStore } from '../service/store.ts';

/** The HTTP API and nothing around it, the same over every store. */
export function createPlainApp(store: CityStore): Hono {
  const app = new Hono();

  app.get('/cities/:id', async (c) => {
    const city = await store.cityById(toId(c.req.param('id')));
    return city === undefined ? c.json({ error: 'no such city' }, 404) : c.json(city);
  });
  app.get('/cities', async (c) => {
    const { country, page, q } = c.req.query();
    if (country === undefined) return sendJson(c, await store.searchCities(toWords(q)));
    return sendJson(c, await store.citiesOfCountry(toCountryPage(country, page)));
  });
  app.get('/nearby', async (c) => sendJson(c, await store.citiesNear(toPlace(c.req.query()))));
  app.get('/countries', async (c) => sendJson(c, await store.countries()));
  app.get('/trending', async (c) => sendJson(c, await store.trending()));
  app.get('/crowded', async (c) => sendJson(c, await store.crowdedPlaces(toAmong(c.req.query('among')))));
  app.post('/checkins', bodyLimit({ maxSize: 4096 }), async (c) => {
    const checkIn = toCheckIn(await c.req.json().catch(() => undefined));
    const id = await store.checkIn(checkIn);
    return id === undefined ? c.json({ error: 'no such city' }, 422) : c.json({ id }, 201);
  });

  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    console.error(error);
    return c.json({ error: 'internal error' }, 500);
  });
  return app;
}
