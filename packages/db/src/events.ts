/** The outbox: events are rows of the transaction that they tell of. */
import type { FunnelEvent } from '@funnel/contracts';
import type { Tx } from './transaction.ts';

/** Where PostgreSQL announces that there are new events. */
export const eventsChannel = 'funnel_events';

/** Writes events and wakes the listeners when the transaction commits. */
export const writeEvents = async (tx: Tx, events: readonly FunnelEvent[]): Promise<void> => {
  if (events.length === 0) return;
  await tx.query(
    `WITH written AS (
       INSERT INTO events (sweep_id, payload)
       SELECT event ->> 'sweepId', event FROM jsonb_array_elements($1::jsonb) AS event
     )
     SELECT pg_notify('${eventsChannel}', '')`,
    [JSON.stringify(events)],
  );
};
