export { announcerOf, registerAnnouncer } from './announcer-of.ts';
export {
  EVENT_NAMES,
  type EventMap,
  type EventName,
  type EventOf,
  type Listener,
  type QueryEvent,
} from './event-map.ts';
export { EventHub, type Announcer } from './event-hub.ts';
