/** Links trials and sweeps to their stages, and a sweep to the stages of other sweeps that its own stages wait for. */
import type { SweepPlan } from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import { int4, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/dependants.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { move, type StageChange } from '../lifecycle/transitions.ts';
import { chunks, idsOf, type PlacedStage } from './submission-rows.ts';

/** Joins no table, because PostgreSQL has no statistics of new rows and would choose a bad plan for the join. */
const insertTrialStages = async (tx: Tx, sweepId: string, { trials }: SweepPlan): Promise<void> => {
  for (const part of chunks(trials))
    await tx.run(
      `INSERT INTO trial_stages (trial_id, ordinal, stage_id)
       SELECT $1 || '-' || lpad(number::text, 5, '0'), ordinal, stage FROM unnest($2::int[], $3::int[], $4::text[]) AS x (number, ordinal, stage)`,
      [
        sweepId,
        plainArray(part.flatMap(({ number, stages }) => stages.map(() => number))),
        plainArray(part.flatMap(({ stages }) => stages.map((_, i) => i))),
        plainArray(part.flatMap(({ stages }) => stages)),
      ],
    );
};

const insertSweepStages = async (tx: Tx, sweepId: string, placed: readonly PlacedStage[]): Promise<void> => {
  for (const part of chunks(placed))
    await tx.run(
      'INSERT INTO sweep_stages (sweep_id, ordinal, stage_id) SELECT $1, ordinal, id FROM unnest($2::int[], $3::text[]) AS x (ordinal, id)',
      [sweepId, plainArray(part.map(({ ordinal }) => ordinal)), plainArray(idsOf(part))],
    );
};

/** Links the sweep and its trials to their stages. */
export const insertLinks = async (
  tx: Tx,
  sweepId: string,
  plan: SweepPlan,
  placed: readonly PlacedStage[],
): Promise<void> => {
  await insertSweepStages(tx, sweepId, placed);
  await insertTrialStages(tx, sweepId, plan);
};

/**
 * Links a sweep to the stages of a decision of its search. It has some of them already, from earlier decisions; and a stage for which other
 * stages of the sweep waited now becomes one of its own.
 */
export const insertUnitLinks = async (
  tx: Tx,
  sweepId: string,
  plan: SweepPlan,
  placed: readonly PlacedStage[],
): Promise<void> => {
  await tx.run(
    `INSERT INTO sweep_stages AS l (sweep_id, ordinal, stage_id) SELECT $1, ordinal, id FROM unnest($2::int[], $3::text[]) AS x (ordinal, id)
     ON CONFLICT (stage_id, sweep_id) DO UPDATE SET ordinal = excluded.ordinal, direct = true WHERE NOT l.direct`,
    [sweepId, plainArray(placed.map(({ ordinal }) => ordinal)), plainArray(idsOf(placed))],
  );
  await insertTrialStages(tx, sweepId, plan);
};

/** Ordinals for links: the ones after `start`, or below it for `step` −1. */
type Free = { readonly start: number; readonly step: 1 | -1 };

/** The decisions of a search take all ordinals from 0 on. */
export const freeBelow = async (tx: Tx, sweepId: string): Promise<Free> => {
  const [row] = await tx.query(
    { start: int4() },
    'SELECT coalesce(least(0, min(ordinal)), 0) AS start FROM sweep_stages WHERE sweep_id = $1',
    [sweepId],
  );
  return { start: row!.start, step: -1 };
};

/**
 * Links the sweep to the unfinished stages of other sweeps that its own stages wait for, because the sweep needs them too. Such a stage may
 * be cancelled already if its sweep is being cancelled in batches: then it is reopened. Resolves to the reopened stages.
 */
export const linkIndirect = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
  { start, step }: Free = { start: placed.length, step: 1 },
): Promise<readonly StageChange[]> => {
  const waiting = placed.filter(({ isKnown, waitsForOther }) => isKnown || waitsForOther);
  if (waiting.length === 0) return [];
  const isNeeded = `a.status IN ('waiting', 'ready', 'running', 'cancelled')
    AND NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = a.id AND l.sweep_id = $1)`;
  const added = await tx.query(
    { stage_id: text() },
    `WITH RECURSIVE needed AS (
       SELECT a.id, a.depends_on FROM unnest($3::text[]) AS w (id) JOIN stages s ON s.id = w.id JOIN stages a ON a.id = s.depends_on
       WHERE s.status = 'waiting' AND ${isNeeded}
       UNION
       SELECT a.id, a.depends_on FROM needed n JOIN stages a ON a.id = n.depends_on WHERE ${isNeeded}
     )
     INSERT INTO sweep_stages (sweep_id, ordinal, stage_id, direct)
     SELECT $1, $2::int + $4::int * row_number() OVER (ORDER BY id), id, false FROM needed RETURNING stage_id`,
    [sweepId, start, plainArray(idsOf(waiting)), step],
  );
  if (added.length === 0) return [];
  const ids = added.map((row) => row.stage_id);
  const reopened = await move(
    tx,
    'reopen',
    `SELECT s.id, CASE WHEN ${isFree('s')} THEN 'ready' ELSE 'waiting' END AS status
     FROM stages s WHERE s.id = ANY($1) AND s.status = 'cancelled'`,
    [ids],
  );
  await scheduleStagesOf(tx, sweepId, ids);
  return reopened;
};
