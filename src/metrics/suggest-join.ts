/** A column that is compared with one value. */
const COMPARED = /([\w."`[\]]{1,200}) = \?/;

/**
 * What to write instead of a statement in a loop. The text is a normalised one; the suggestion is a hint for
 * a person, and nothing else depends on it.
 */
export function suggestJoin(text: string): string {
  if (/^(insert|replace) /.test(text)) {
    return 'Insert the rows together: one insert with several rows, or db.batch([...]) in one trip.';
  }
  if (/^(update|delete) /.test(text)) {
    return 'Change the rows with one statement (… where id in (…)), or send all with db.batch([...]).';
  }
  const column = COMPARED.exec(text.slice(text.indexOf(' where ') + 1))?.[1];
  if (column === undefined || !text.includes(' where ')) {
    return 'Ask once before the loop and keep the answer, or cache it.';
  }
  return (
    `Fetch all at once: collect the values, ask for ${column} in (…), and share the rows out; ` +
    'or join it to the statement before.'
  );
}
