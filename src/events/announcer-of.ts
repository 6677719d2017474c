import type { Announcer } from './event-hub.ts';

const announcers = new WeakMap<object, Announcer>();

/** Lets others announce in the name of `owner`, which users hold and which shows no such method. */
export function registerAnnouncer(owner: object, announcer: Announcer): void {
  announcers.set(owner, announcer);
}

/** Where to announce what was found out about `owner`; undefined for one that has no events of its own. */
export function announcerOf(owner: object): Announcer | undefined {
  return announcers.get(owner);
}
