/** The best trial of each sweep so far, and the other facts that lists show of a sweep. */
import {
  objectiveOfBest,
  type StoredDefinition,
  type SweepOverview,
  type TrialVerdict,
  tokenOfClient,
  writeExtended,
} from '@funnel/contracts';
import { float8, int4, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

export type BestTrial = NonNullable<SweepOverview['best']>;

type SubmittedSweep = {
  readonly id: string;
  readonly definition: StoredDefinition;
  /** See `clientWithToken`. */
  readonly client: string | null;
};

/**
 * By sweep; a sweep without a value, or without one objective that decides, has no entry. The index of the ranking gives the first row of
 * each sweep. A sweep may have an attack twice with different settings, so the settings decide, too.
 */
export const bestTrials = async (
  tx: Tx,
  sweeps: readonly SubmittedSweep[],
): Promise<ReadonlyMap<string, BestTrial>> => {
  const wanted = sweeps.flatMap(({ id, definition }) => {
    const objective = objectiveOfBest(definition);
    return objective ? [{ id, objective }] : [];
  });
  if (wanted.length === 0) return new Map();
  const rows = await tx.query(
    { id: text(), number: int4(), value: orNull(float8()), verdict: orNull(text<TrialVerdict>()) },
    `SELECT k.id, t.number, b.value, t.verdict
     FROM jsonb_to_recordset($1::jsonb) AS k (id text, attack text, metric text, run jsonb)
     CROSS JOIN LATERAL (
       SELECT s.trial_id, s.value FROM scores s LEFT JOIN stages a ON a.id = s.stage_id
       WHERE s.sweep_id = k.id AND s.attack = k.attack AND s.metric = k.metric AND s.utility IS NOT NULL
         AND (k.run IS NULL OR k.run @> a.attack)
       ORDER BY s.below, s.utility DESC NULLS LAST, s.trial_id, s.ordinal LIMIT 1) AS b
     JOIN trials t ON t.id = b.trial_id`,
    [
      JSON.stringify(
        wanted.map(({ id, objective: { run, metric } }) => ({
          ...{ id, metric, attack: run?.attack ?? '', run: run ?? null },
        })),
      ),
    ],
  );
  const objectives = new Map(wanted.map(({ id, objective }) => [id, objective]));
  return new Map(
    rows.flatMap(({ id, number, value, verdict }): [string, BestTrial][] => {
      if (value === null) return [];
      const { run, metric } = objectives.get(id)!;
      const attack = run?.attack ?? null;
      return [[id, { trial: number, metric, attack, value: writeExtended(value), verdict }]];
    }),
  );
};

export const overviewOf = (
  { definition, client }: SubmittedSweep,
  best: BestTrial | null,
): SweepOverview => ({
  recipes: [...new Set(definition.recipes)],
  dataset: definition.dataset.name,
  submittedBy: tokenOfClient(client),
  best,
});
