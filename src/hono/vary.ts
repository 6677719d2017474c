/** Adds a name to `Vary`, once. */
export function addVary(headers: Headers, name: string): void {
  const given = headers.get('vary');
  if (given === null) return headers.set('vary', name);
  const names = given.toLowerCase().split(',');
  if (!names.some((one) => one.trim() === '*' || one.trim() === name.toLowerCase())) {
    headers.set('vary', `${given}, ${name}`);
  }
}
