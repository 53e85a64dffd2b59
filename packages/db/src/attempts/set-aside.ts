/**
 * A worker that fails at stages that others complete is broken, and must not spend their attempts. It is set aside: it claims nothing, except
 * for a probe every five minutes. A result sets it free, and so does an operator. It is also used while no other worker is there.
 */
import { AppError } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';

/** Failures in a row after which a worker may be set aside, and the chains among them that others have completed since. */
const minFailures = 3;
const minChains = 2;
/** The latest failures that are examined. */
const maxExamined = 50;
const probeInterval = `interval '5 minutes'`;

/** SQL: another worker is online and not set aside. */
const anotherWorks = (id: string): string =>
  `EXISTS (SELECT FROM workers o WHERE o.id <> ${id} AND o.status = 'online' AND o.set_aside_at IS NULL)`;

/** SQL: the worker `id` is set aside now, because others can do its work. */
export const isSetAside = (id: string): string =>
  `EXISTS (SELECT FROM workers w WHERE w.id = ${id} AND w.set_aside_at IS NOT NULL AND ${anotherWorks('w.id')})`;

/** SQL: the worker `id` may claim. True for a worker without a row. */
export const mayClaim = (id: string): string =>
  `NOT EXISTS (SELECT FROM workers w WHERE w.id = ${id} AND w.set_aside_at IS NOT NULL AND w.probe_at > now() AND ${anotherWorks('w.id')})`;

/** Takes the probe of a worker that is set aside. Resolves to false if another slot of the worker has taken it. */
export const takeProbe = async (tx: Tx, workerId: string): Promise<boolean> => {
  const rows = await tx.query(
    { id: text() },
    `UPDATE workers SET probe_at = now() + ${probeInterval} WHERE id = $1 AND probe_at <= now() RETURNING id`,
    [workerId],
  );
  return rows.length > 0;
};

/** Counts a failed attempt of a worker. */
export const noteFailure = (tx: Tx, workerId: string): Promise<void> =>
  tx.run('UPDATE workers SET failures = failures + 1 WHERE id = $1', [workerId]);

/** A result of a worker ends its row of failures. Most results write nothing here. */
export const noteResult = (tx: Tx, workerId: string): Promise<void> =>
  tx.run(
    'UPDATE workers SET failures = 0, set_aside_at = NULL, probe_at = NULL WHERE id = $1 AND (failures > 0 OR set_aside_at IS NOT NULL)',
    [workerId],
  );

/** Sets workers aside whose latest attempts failed, when others have completed enough of the same chains since. */
export const setAsideWorkers = (tx: Tx): Promise<void> =>
  tx.run(
    `UPDATE workers w SET set_aside_at = now(), probe_at = now() + ${probeInterval}
     WHERE w.status = 'online' AND w.set_aside_at IS NULL AND w.failures >= ${minFailures} AND (
       SELECT count(DISTINCT s.chain) FROM (
         SELECT a.stage_id, a.ended_at FROM attempts a
         WHERE a.worker_id = w.id AND a.outcome = 'failed' ORDER BY a.ended_at DESC LIMIT least(w.failures, ${maxExamined})
       ) AS f JOIN stages s ON s.id = f.stage_id
       WHERE EXISTS (
         SELECT FROM stages o JOIN attempts b ON b.stage_id = o.id
         WHERE o.chain = s.chain AND b.outcome = 'completed' AND b.worker_id <> w.id AND b.ended_at > f.ended_at)
     ) >= ${minChains}`,
  );

export const missingWorker = (id: string): AppError =>
  new AppError('NOT_FOUND', `Expected a worker, but there is none with id ${id}`, {
    hint: '`npx funnel workers` lists them.',
  });

/** Lets a worker claim again everything: it is no longer set aside, and its refusals are forgotten. Errors: NOT_FOUND. */
export const restoreWorker = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const rows = await tx.query(
      { id: text() },
      `WITH forgotten AS (DELETE FROM refusals WHERE worker_id = $1)
       UPDATE workers SET failures = 0, set_aside_at = NULL, probe_at = NULL WHERE id = $1 RETURNING id`,
      [id],
    );
    if (rows.length === 0) throw missingWorker(id);
    await tx.audit({ action: 'restoreWorker', subject: id });
  });
