import { withVary } from './header-plan.ts';

/** Adds a name to `Vary`, once. */
export function addVary(headers: Headers, name: string): void {
  const given = headers.get('vary');
  headers.set('vary', given === null ? name : withVary(given, name));
}
