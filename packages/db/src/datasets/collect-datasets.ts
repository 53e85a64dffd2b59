/** Deletes data sets: those that were never finished, and those that nothing needs any more. */
import { datasetNames, datasets } from '@funnel/contracts';
import { float8, int4, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { lockDataset } from './dataset-rows.ts';
import { unfinishedTime } from './unfinished.ts';

/** Deletes the data sets for whose chunks nobody has asked for a day. */
export const dropUnfinished = (tx: Tx): Promise<void> =>
  tx.run(
    `DELETE FROM datasets WHERE completed_at IS NULL AND asked_at < now() - interval '${unfinishedTime}'`,
  );

/** A submission may have found a data set by its name just before the name was removed. Minutes. */
const graceMinutes = 10;

/**
 * The complete data sets without a name that no kept trial needs. `decisions`: CTEs `ended` (sweeps) and `given_up` (trials), with the
 * parameters $1 to $6. $7 and $8: the identities and the names of the built-in data sets, which definitions have by their name only.
 */
const superfluous = (decisions: string): string => `
  WITH ${decisions}, superfluous AS (
    SELECT d.digest, d.bytes FROM datasets d
    WHERE d.completed_at IS NOT NULL AND d.asked_at < now() - interval '${graceMinutes} minutes'
      AND NOT EXISTS (SELECT FROM dataset_names n WHERE n.digest = d.digest)
      AND NOT EXISTS (
        SELECT FROM sweeps w
        WHERE (w.definition -> 'dataset' -> 'content' ->> 'digest' = d.digest
            OR w.definition -> 'dataset' ->> 'name' IN (SELECT b.name FROM unnest($7::text[], $8::text[]) AS b (identity, name) WHERE b.identity = d.identity))
          AND (w.id NOT IN (SELECT id FROM ended) OR EXISTS (SELECT FROM trials t WHERE t.sweep_id = w.id AND t.id NOT IN (SELECT id FROM given_up)))))`;

const identities = datasetNames.map((name) => datasets[name].digest);

type Request = { readonly decisions: string; readonly parameters: readonly unknown[] };

const valuesOf = ({ parameters }: Request): readonly unknown[] => [...parameters, identities, datasetNames];

export type SuperfluousDatasets = {
  readonly datasets: number;
  readonly bytes: number;
  readonly digests: readonly string[];
};

export const findSuperfluous = async (tx: Tx, request: Request): Promise<SuperfluousDatasets> => {
  const [row] = await tx.query(
    { datasets: int4(), bytes: float8(), digests: texts() },
    `${superfluous(request.decisions)}
     SELECT count(*)::int AS datasets, coalesce(sum(bytes), 0)::float8 AS bytes, coalesce(array_agg(digest ORDER BY digest), '{}') AS digests FROM superfluous`,
    valuesOf(request),
  );
  return row!;
};

/** Decides again under the lock of each data set, because somebody may have named one since. */
export const dropSuperfluous = async (
  tx: Tx,
  { digests }: SuperfluousDatasets,
  request: Request,
): Promise<void> => {
  if (digests.length === 0) return;
  for (const digest of digests) await lockDataset(tx, digest);
  await tx.run(
    `${superfluous(request.decisions)} DELETE FROM datasets d USING superfluous s WHERE d.digest = s.digest AND d.digest = ANY($9)`,
    [...valuesOf(request), digests],
  );
};
