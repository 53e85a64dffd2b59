/** Writes a decision of a search: its row, and the trials and stages of its unit, as a submission writes those of a sweep. */
import { maxTrials, type SweepPlan } from '@funnel/contracts';
import { int4, orNull, text, texts } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { announceSweep, type Changes, propagate } from '../lifecycle/propagate.ts';
import { awaitStructure, isBusy, limitWaits } from '../lifecycle/structure-lock.ts';
import { freeBelow, insertUnitLinks, linkIndirect } from '../submission/insert-links.ts';
import { insertNewStages, reopenEnded } from '../submission/insert-stages.ts';
import { insertTrials } from '../submission/insert-trials.ts';
import { readKnown } from '../submission/known-chains.ts';
import { idsOf, placeStages } from '../submission/submission-rows.ts';
import { connectStages } from '../sweeps/connect-sweep.ts';
import { beginConnection, endConnection } from '../sweeps/sweep-actions.ts';
import type { Decided, NewDecision, NewUnit } from '../types.ts';
import { heldUntil, isOpen } from './due-searches.ts';
import { insertDecision } from './insert-search.ts';

type OpenSearch = {
  readonly sweepId: string;
  readonly dataset: string;
  readonly stride: number;
  readonly varying: ReadonlySet<string>;
};

/** Null: the search has ended, or its sweep does not run, or an operation on the sweep goes on. Errors: SCHEMA_MISMATCH. */
const readOpen = async (tx: Tx, sweepId: string): Promise<OpenSearch | null> => {
  const [row] = await tx.query(
    { applied: orNull(text()), dataset: text(), stride: int4(), varying: texts() },
    `SELECT ${appliedMigration} AS applied, w.definition #>> '{dataset,name}' AS dataset, k.stride, k.varying
     FROM searches k JOIN sweeps w ON w.id = k.sweep_id WHERE k.sweep_id = $1 AND ${isOpen('k', 'w')}`,
    [sweepId],
  );
  if (!row) return null;
  checkMigration(row.applied);
  return { sweepId, dataset: row.dataset, stride: row.stride, varying: new Set(row.varying) };
};

/** The search was closed during the transaction. */
class Closed extends Error {}

/**
 * Counts the decision, and begins the lease anew. Locks the sweep, so that no pause or cancellation misses the new rows; locks it only now,
 * after stages and trials, as attempts do. Throws Closed.
 */
const keepOpen = async (
  tx: Tx,
  sweepId: string,
  { number, configuration }: NewDecision,
  handPoint: boolean,
): Promise<void> => {
  await tx.run('SELECT FROM sweeps WHERE id = $1 FOR NO KEY UPDATE', [sweepId]);
  const open = await tx.query(
    { proposed: int4() },
    `UPDATE searches k SET held_until = ${heldUntil}, proposed = k.proposed + $2, hand_points = CASE WHEN $3 THEN k.hand_points - 0 ELSE k.hand_points END
     FROM sweeps w WHERE k.sweep_id = $1 AND w.id = $1 AND ${isOpen('k', 'w', `a.action <> 'connect'`)} RETURNING k.proposed`,
    [sweepId, configuration === number ? 1 : 0, handPoint],
  );
  if (open.length === 0) throw new Closed();
};

/** The trials of a sweep get the numbers from n × seeds on for decision n. */
const renumber = (plan: SweepPlan, decision: number): SweepPlan => {
  const first = decision * plan.trials.length;
  if (first + plan.trials.length > maxTrials)
    throw new Error(`Expected trials with numbers below ${maxTrials}, but decision ${decision} has ${first}`);
  return { ...plan, trials: plan.trials.map((trial) => ({ ...trial, number: first + trial.number })) };
};

/** Writes the rows of the unit, and connects them with the stages that the database had. Resolves to what to propagate. */
const addUnit = async (
  tx: Tx,
  { sweepId, dataset, stride, varying }: OpenSearch,
  number: number,
  { stages, buildPlan }: NewUnit,
): Promise<Changes> => {
  const found = await readKnown(tx, stages);
  const plan = renumber(buildPlan(found.known), number);
  const ordinals = { from: number * stride, to: (number + 1) * stride };
  const placed = placeStages(plan, found.existing, ordinals.from);
  if (placed.length > stride)
    throw new Error(`Expected at most ${stride} stages of decision ${number}, but got ${placed.length}`);
  await insertNewStages(tx, sweepId, placed);
  const reopened = await reopenEnded(tx, sweepId, placed);
  await insertTrials(tx, sweepId, dataset, plan, { configuration: number, varying });
  await insertUnitLinks(tx, sweepId, plan, placed);
  const linked = await linkIndirect(tx, sweepId, placed, await freeBelow(tx, sweepId));
  await beginConnection(tx, sweepId, ordinals);
  const first = number * plan.trials.length;
  const trials = { from: first, to: first + plan.trials.length };
  const connected = await connectStages(tx, sweepId, { ids: idsOf(placed), ordinals, trials });
  const waiting = { sweepId, subject: 'trial:waiting', delta: plan.trials.length };
  return {
    ...connected,
    changes: [...reopened, ...linked, ...connected.changes],
    counts: [waiting, ...(connected.counts ?? [])],
  };
};

type Written = NewDecision & {
  /** Null for an empty place. */
  readonly unit: NewUnit | null;
  /** The decision took the oldest point that a user asked for, which is removed. (Default: false) */
  readonly handPoint?: boolean;
};

/** Throws Closed. */
const writeDecision = async (
  tx: Tx,
  sweepId: string,
  { unit, handPoint = false, ...decision }: Written,
): Promise<Decided> => {
  await awaitStructure(tx);
  await limitWaits(tx);
  const search = await readOpen(tx, sweepId);
  if (!search) return 'closed';
  if (!(await insertDecision(tx, sweepId, decision))) return 'taken';
  const event = { type: 'sweep', sweepId, status: 'running' } as const;
  const changes = unit ? await addUnit(tx, search, decision.number, unit) : { changes: [], events: [event] };
  await keepOpen(tx, sweepId, decision, handPoint);
  await propagate(tx, changes);
  if (!unit) return 'written';
  await endConnection(tx, sweepId);
  const ids = unit.stages.map(({ id }) => id);
  await announceSweep(tx, sweepId, ids);
  return 'written';
};

/** Nobody waits for a decision, so it waits for other operations. */
const maxTries = 5;

/**
 * Writes a decision and its unit, or nothing. Two processes that write the same decision write it once. Errors: UNAVAILABLE,
 * SCHEMA_MISMATCH, and the errors of `buildPlan`.
 */
export const addDecision = async (db: Db, sweepId: string, decision: Written): Promise<Decided> => {
  for (let tries = 1; ; tries++)
    try {
      return await transaction(db, (tx) => writeDecision(tx, sweepId, decision));
    } catch (error) {
      if (error instanceof Closed) return 'closed';
      if (!isBusy(error) || tries >= maxTries) throw error;
    }
};
