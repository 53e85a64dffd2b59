/** The outbox: events are rows of the transaction that they tell of, and so are the counts. */
import type { FunnelEvent } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { type CountChange, sumCounts } from './counts.ts';

/** Where PostgreSQL announces that there are new events. */
export const eventsChannel = 'funnel_events';

/** Writers of one sweep wait for each other only when their connections share a slot. */
const slots = 16;

/** Adds to counts and writes events, and wakes the listeners when the transaction commits. Its last statement. */
export const publish = async (
  tx: Tx,
  changes: readonly CountChange[],
  events: readonly FunnelEvent[],
): Promise<void> => {
  const counts = sumCounts(changes);
  if (counts.length === 0 && events.length === 0) return;
  await tx.query(
    `WITH counted AS (
       INSERT INTO sweep_counts AS c (sweep_id, slot, subject, count)
       SELECT d.sweep_id, pg_backend_pid() % ${slots}, d.subject, d.delta
       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS d (sweep_id, subject, delta, place)
       ORDER BY d.place
       ON CONFLICT (sweep_id, slot, subject) DO UPDATE SET count = c.count + excluded.count
     ), written AS (
       INSERT INTO events (sweep_id, payload)
       SELECT event ->> 'sweepId', event FROM jsonb_array_elements($4::jsonb) AS event
     )
     SELECT pg_notify('${eventsChannel}', '') WHERE jsonb_array_length($4::jsonb) > 0`,
    [
      counts.map((count) => count.sweepId),
      counts.map((count) => count.subject),
      counts.map((count) => count.delta),
      JSON.stringify(events),
    ],
  );
};
