import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { toAmong, toCheckIn, toCityId, toPlace, toWords } from './input.ts';
import type { CityStore, JsonBody } from './store.ts';

/** The HTTP API, the same over both stores. */
export function createApp(store: CityStore): Hono {
  const app = new Hono();

  app.get('/cities/:id', async (c) => {
    const city = await store.cityById(toCityId(c.req.param('id')));
    return city === undefined ? c.json({ error: 'no such city' }, 404) : c.json(city);
  });
  app.get('/cities', async (c) => toJson(c, await store.searchCities(toWords(c.req.query('q')))));
  app.get('/nearby', async (c) => {
    const place = toPlace({ lat: c.req.query('lat'), lon: c.req.query('lon'), km: c.req.query('km') });
    return toJson(c, await store.citiesNear(place));
  });
  app.get('/crowded', async (c) => toJson(c, await store.crowdedPlaces(toAmong(c.req.query('among')))));
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

/** Sends what is JSON already: nothing is parsed or built again on the way out. */
function toJson(c: Context, body: JsonBody): Response {
  // Hono's type leaves shared memory out; a body from a store is never that.
  return c.body(body as string | Uint8Array<ArrayBuffer>, 200, { 'content-type': 'application/json' });
}
