/**
 * The table `propagations`: what the start or the end of a stage still has to change. A hundred thousand trials and stages may depend on one
 * stage. The transaction of an attempt changes a few of them, and writes a row here for the rest, so that claims and ends of stages take
 * no longer for a large sweep than for a small one. `continue-propagations.ts` does the rest, by the status that the stage then has.
 *
 * Attempts only add rows, and a stage may have several. With a unique key, an attempt would wait for the batch that has the row.
 */
import { int8, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

/**
 * - `dependants`: stages that wait for this one, which has ended;
 * - `skipped`: stages of live sweeps that were skipped because this one had failed, and that may be tried again now;
 * - `transfer-attacks`: attacks that wait for this stage as a surrogate, and perhaps for others;
 * - `trials`: trials that share the stage.
 */
export type Target = 'dependants' | 'skipped' | 'transfer-attacks' | 'trials';

/** Rows of `target` with an id up to `doneTo` are done. Empty: none is. */
export type Propagation = { readonly stageId: string; readonly doneTo: string };

/** The largest number of dependants or trials that a transaction of an attempt changes. */
export const maxAtOnce = 200;

/** Leaves the rest for later batches, which begin after the commit. */
export const propagateLater = async (tx: Tx, target: Target, rest: readonly Propagation[]): Promise<void> => {
  if (rest.length === 0) return;
  await tx.run(
    'INSERT INTO propagations (target, stage_id, done_to) SELECT $1, * FROM unnest($2::text[], $3::text[])',
    [target, rest.map((row) => row.stageId), rest.map((row) => row.doneTo)],
  );
  tx.wake('propagations');
};

/** The same for those of the stages that meet `condition`. SQL: `k.id` is the stage. */
export const propagateLaterIf = async (
  tx: Tx,
  target: Target,
  ids: readonly string[],
  condition: string,
): Promise<void> => {
  if (ids.length === 0) return;
  const rows = await tx.query(
    { id: int8() },
    `INSERT INTO propagations (target, stage_id) SELECT $1, k.id FROM unnest($2::text[]) AS k (id) WHERE ${condition} RETURNING id`,
    [target, ids],
  );
  if (rows.length > 0) tx.wake('propagations');
};

/** SQL: row `p` does not pause after a failure. */
export const isDue = (p: string): string => `${p}.due_at <= clock_timestamp()`;

/** Writes rows again that could not be done now. Wakes nobody: the reconciler does, after some seconds. Leaves out deleted stages. */
export const putBack = async (tx: Tx, target: Target, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await tx.run('INSERT INTO propagations (target, stage_id) SELECT $1, id FROM stages WHERE id = ANY($2)', [
    target,
    ids,
  ]);
};

/** `ids`: those of the taken rows. Several of them may be for one stage. */
export type Taken = {
  readonly target: Target;
  readonly ids: readonly number[];
  readonly rows: readonly Propagation[];
};

/**
 * Takes the oldest due rows of the first target that has any, up to its limit. The caller writes anew what remains of them. A row whose batch
 * failed is taken alone, so that it fails for itself only.
 * `limits`: the targets in the order in which they are done.
 */
export const takePropagations = async (
  tx: Tx,
  limits: ReadonlyMap<Target, number>,
): Promise<Taken | null> => {
  const rows = await tx.query(
    { id: int8(), target: text<Target>(), stage_id: text(), done_to: text() },
    `WITH next AS (
       SELECT k.target, f.failed, CASE WHEN f.failed THEN 1 ELSE k.size END AS size
       FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS k (target, size, place) CROSS JOIN (VALUES (false), (true)) AS f (failed)
       WHERE EXISTS (SELECT FROM propagations p WHERE p.target = k.target AND (p.failures > 0) = f.failed AND ${isDue('p')})
       ORDER BY k.place, f.failed LIMIT 1
     )
     DELETE FROM propagations p USING (
       SELECT p.target, p.id FROM next JOIN propagations p USING (target)
       WHERE (p.failures > 0) = next.failed AND ${isDue('p')} ORDER BY p.id LIMIT (SELECT size FROM next)
     ) AS oldest
     WHERE p.target = oldest.target AND p.id = oldest.id
     RETURNING p.id, p.target, p.stage_id, p.done_to`,
    [[...limits.keys()], [...limits.values()]],
  );
  const [any] = rows;
  if (!any) return null;
  // Of several rows for a stage, the one with the most left to do covers the others.
  const doneTo = new Map<string, string>();
  for (const row of rows.toSorted((a, b) => a.id - b.id)) {
    const known = doneTo.get(row.stage_id);
    if (known === undefined || row.done_to < known) doneTo.set(row.stage_id, row.done_to);
  }
  const ids = rows.map(({ id }) => id);
  return { target: any.target, ids, rows: [...doneTo].map(([stageId, to]) => ({ stageId, doneTo: to })) };
};
