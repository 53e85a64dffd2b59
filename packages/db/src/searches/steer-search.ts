/** Ends a search, gives it more configurations, and gives it points that a user asks for. */
import { AppError, endedStatuses, formatAmount, type SearchEnd, type SearchPoint } from '@funnel/contracts';
import { int4, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';
import { refuseExtension } from '../submission/client-use.ts';
import { lockRow } from '../sweeps/lock-sweep.ts';
import type { Extension } from '../types.ts';

/**
 * Ends an open search of a running sweep; the sweep ends with its last trial. `trials`: only if the search has all of its configurations,
 * since somebody may have extended it.
 */
export const endSearch = (db: Db, sweepId: string, end: SearchEnd): Promise<void> =>
  transaction(db, async (tx) => {
    await tx.run('SELECT FROM sweeps WHERE id = $1 FOR NO KEY UPDATE', [sweepId]);
    const ended = await tx.query(
      { sweep_id: text() },
      `UPDATE searches k SET ended = $2 FROM sweeps w
       WHERE k.sweep_id = $1 AND w.id = $1 AND k.ended IS NULL AND w.status = 'running'
         AND ($2 <> 'trials' OR k.proposed >= k.configurations) RETURNING k.sweep_id`,
      [sweepId, end],
    );
    if (ended.length === 0) return;
    const event = { type: 'sweep', sweepId, status: 'running' } as const;
    await propagate(tx, { changes: [], events: [event], mayEnd: [sweepId] });
  });

type State = { readonly configurations: number; readonly ended: string | null };

/** Errors: INVALID_TRANSITION. */
const searchOf = async (tx: Tx, sweepId: string): Promise<State> => {
  const [row] = await tx.query(
    { configurations: int4(), ended: orNull(text()) },
    'SELECT configurations, ended FROM searches WHERE sweep_id = $1',
    [sweepId],
  );
  if (row) return row;
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected a sweep whose search decides one configuration after the other, but ${sweepId} had all of its trials at its submission. Submit a new sweep with more values.`,
  );
};

/**
 * Gives a search more configurations. A sweep that has ended runs again; a paused one stays paused.
 * Errors: NOT_FOUND, INVALID_TRANSITION (cancelled, being deleted, without such a search, or extended by somebody else),
 * TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES.
 */
export const extendSearch = (db: Db, sweepId: string, { from, to, plan, limits }: Extension): Promise<void> =>
  transaction(db, async (tx) => {
    const status = await lockRow(tx, sweepId, 'extend', ['running', 'paused', ...endedStatuses]);
    const { configurations } = await searchOf(tx, sweepId);
    if (configurations !== from)
      throw new AppError(
        'INVALID_TRANSITION',
        `Expected a search of ${formatAmount(from)} configurations to extend, but ${sweepId} has ${formatAmount(configurations)} by now. Extend it again.`,
      );
    if (limits) await refuseExtension(tx, sweepId, plan, limits);
    await tx.audit({ action: 'extendSearch', subject: sweepId, details: { trials: to - from } });
    await tx.run(
      `UPDATE sweeps SET plan = $2, status = CASE WHEN status = 'paused' THEN 'paused' ELSE 'running' END, finished_at = NULL WHERE id = $1`,
      [sweepId, JSON.stringify(plan)],
    );
    await tx.run(
      'UPDATE searches SET configurations = $2, ended = NULL, marked = marked + 1 WHERE sweep_id = $1',
      [sweepId, to],
    );
    tx.wake('searches');
    const now = status === 'paused' ? 'paused' : 'running';
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId, status: now }] });
  });

/** So many points of users may wait. */
const maxHandPoints = 100;

/**
 * Adds a point that the next proposal takes. A point that waits already is not added again. Errors: NOT_FOUND, INVALID_TRANSITION (the sweep
 * or its search has ended, it has no such search, or too many points wait).
 */
export const addHandPoint = (db: Db, sweepId: string, point: SearchPoint): Promise<void> =>
  transaction(db, async (tx) => {
    await lockRow(tx, sweepId, 'try a point', ['running', 'paused']);
    const { ended } = await searchOf(tx, sweepId);
    if (ended !== null)
      throw new AppError(
        'INVALID_TRANSITION',
        `Expected a search that goes on, but that of ${sweepId} has ended. Extend it first.`,
      );
    const text = JSON.stringify(point);
    const [row] = await tx.query(
      { waiting: int4() },
      `SELECT jsonb_array_length(hand_points) AS waiting FROM searches
       WHERE sweep_id = $1 AND NOT EXISTS (SELECT FROM jsonb_array_elements(hand_points) AS p WHERE p = $2::jsonb)`,
      [sweepId, text],
    );
    if (!row) return;
    if (row.waiting >= maxHandPoints)
      throw new AppError(
        'INVALID_TRANSITION',
        `Expected at most ${maxHandPoints} points that wait, but ${sweepId} has ${row.waiting}. Wait until the search has tried some.`,
      );
    await tx.audit({ action: 'tryPoint', subject: sweepId, details: { point } });
    await tx.run(
      'UPDATE searches SET hand_points = hand_points || jsonb_build_array($2::jsonb) WHERE sweep_id = $1',
      [sweepId, text],
    );
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId, status: 'running' }] });
  });
