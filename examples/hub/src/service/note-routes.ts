import { Hono } from 'hono';
import { HttpProblem, queryBudget, readJson, transactional, userOf } from '../millpond/hono.ts';
import type { Queries } from '../queries.ts';
import { sendJson } from './kept-json.ts';
import { toId, toNote, toNoteFilter, toWords } from './input.ts';
import type { Tokens } from './tokens.ts';

/** Notes on cities, with tags and full-text search: read by everybody, written by users. */
export function noteRoutes({ notes }: Pick<Queries, 'notes'>, tokens: Tokens): Hono {
  const routes = new Hono();

  // One query for a list of any length: more than that would be one for each note.
  routes.get('/notes', queryBudget({ queries: 1, rows: 50 }), async (c) => {
    const { q, ...filter } = c.req.query();
    const found =
      q === undefined
        ? await notes.listNotes.json(toNoteFilter(filter))
        : await notes.searchNotes.json({ words: toWords(q) });
    return sendJson(c, found);
  });

  // The note and its tags, or neither: they are committed before 201 is sent.
  routes.post('/notes', tokens.required, transactional(), async (c) => {
    const { cityId, text, tags } = toNote(await readJson(c));
    const userId = Number(userOf(c)?.id);
    // An insert of one row gives its id, or fails.
    const noteId = await notes.addNote({ cityId, userId, text, atMs: Date.now() });
    await notes.addTag(tags.map((tag) => ({ noteId, tag })));
    return c.json({ id: noteId }, 201);
  });

  routes.delete('/notes/:id', tokens.required, async (c) => {
    const id = toId(c.req.param('id'));
    const deleted = await notes.deleteNote({ id, userId: Number(userOf(c)?.id) });
    if (deleted === 0) throw new HttpProblem(404, { detail: 'You have no such note.' });
    return c.body(null, 204);
  });

  return routes;
}
