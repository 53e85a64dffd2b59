/**
 * What the transactions of this package never leave behind, found and put right all the same: stages that wait for what has ended, or for a sweep that has.
 * Looked for once a minute, since it walks over all waiting stages; and old events, which no stream asks for any more.
 */

import type { Tx } from '../connection/transaction.ts';
import { causeOf, type End, endColumns } from '../lifecycle/cause.ts';
import { passRecorded, releaseDependants, skipDependants } from '../lifecycle/move-stages.ts';
import { hasNoSurrogate, isFree } from '../lifecycle/readiness.ts';
import { reassignLeft } from '../lifecycle/schedule.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';

const everySeconds = 60;
const eventDays = 7;

const isDue = async (tx: Tx): Promise<boolean> => {
  const rows = await tx.query(
    `INSERT INTO duties AS d (name, at) VALUES ('repair', now())
     ON CONFLICT (name) DO UPDATE SET at = now() WHERE d.at < now() - make_interval(secs => $1)
     RETURNING name`,
    [everySeconds],
  );
  return rows.length > 0;
};

/** Ended stages that someone still waits for, though all that it needs has ended, or one of them badly. */
const stuck = (tx: Tx): Promise<readonly End[]> =>
  tx.query<End>(
    `SELECT ${endColumns('a')} FROM stages s JOIN stages a ON a.id = s.depends_on
     WHERE s.status = 'waiting' AND a.status NOT IN ('waiting', 'ready', 'running')
       AND (a.status <> 'completed' OR ${isFree('s')} OR ${hasNoSurrogate('s')})
     UNION
     SELECT ${endColumns('a')} FROM stages s CROSS JOIN LATERAL unnest(s.surrogates) AS g (id) JOIN stages a ON a.id = g.id
     WHERE s.status = 'waiting' AND s.surrogates <> '{}' AND coalesce(a.skip_cause, a.status) IN ('failed', 'cancelled')
     ORDER BY 1 LIMIT 1000`,
  );

/** Stages that could start or wait, though a longer run has recorded their epoch. */
const recorded = async (tx: Tx): Promise<readonly string[]> => {
  const rows = await tx.query<{ id: string }>(
    `SELECT s.id FROM stages s JOIN chains c ON c.hash = s.chain
     JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
     WHERE s.status IN ('waiting', 'ready') AND s.kind <> 'attack' LIMIT 1000`,
  );
  return rows.map((row) => row.id);
};

export const repair = async (tx: Tx): Promise<readonly StageChange[]> => {
  if (!(await isDue(tx))) return [];
  await tx.query('DELETE FROM events WHERE at < now() - make_interval(days => $1)', [eventDays]);
  await reassignLeft(tx);
  const changes: StageChange[] = [...(await passRecorded(tx, await recorded(tx)))];
  for (const end of await stuck(tx))
    changes.push(
      ...(end.status === 'completed'
        ? await releaseDependants(tx, [end.id])
        : await skipDependants(tx, [end.id], causeOf(end))),
    );
  return changes;
};
