import { type Db, eventsAfter, isEventAfter, lastEventId, onEvents } from '@funnel/db';
import type { EventSource } from './event-source.ts';

/** The outbox of the database as a source of events. */
export const databaseEvents = (db: Db): EventSource => ({
  after: (query) => eventsAfter(db, query),
  latest: () => lastEventId(db),
  isAfter: isEventAfter,
  listen: (wake) => onEvents(db, wake),
});
