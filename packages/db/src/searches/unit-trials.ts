/** The trials of a search with the values that it reads: of objectives and constraints. */
import type { TrialStatus, TrialVerdict } from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import { float8, int2, int4, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { UnitTrial, WantedValue } from '../types.ts';

/** The columns of trial `t` from which `unitTrials` makes a trial. */
export const unitColumns = {
  id: text(),
  seed: int4(),
  status: text<TrialStatus>(),
  verdict: orNull(text<TrialVerdict>()),
  clean_accuracy: orNull(float8()),
};

/** The clean accuracy without an attack is a value of the trial itself. */
const isOfTrial = ({ attack, metric }: WantedValue): boolean =>
  attack === undefined && metric === 'cleanAccuracy';

/**
 * The scores of the wanted values. A sweep may have an attack twice with different settings, so the settings decide. The stage of an older
 * version may lack settings that a later version added: they have their defaults there (decision 18). A stage with exactly these settings
 * comes first.
 */
const scoresOf = (tx: Tx, trialIds: readonly string[], values: readonly WantedValue[]) =>
  tx.query(
    { trial_id: text(), place: int4(), value: orNull(float8()) },
    `SELECT DISTINCT ON (s.trial_id, k.place) s.trial_id, k.place, s.value
     FROM unnest($1::text[]) AS t (id)
     JOIN scores s ON s.trial_id = t.id
     JOIN jsonb_to_recordset($2::jsonb) AS k (place int, name text, metric text, run jsonb) ON k.name = s.attack AND k.metric = s.metric
     LEFT JOIN stages a ON a.id = s.stage_id
     WHERE k.run IS NULL OR k.run @> a.attack
     ORDER BY s.trial_id, k.place, a.attack = k.run DESC NULLS LAST, s.ordinal`,
    [
      plainArray(trialIds),
      JSON.stringify(
        values.flatMap((wanted, place) => {
          const { attack, metric } = wanted;
          return isOfTrial(wanted)
            ? []
            : [{ place, name: attack?.attack ?? '', metric, run: attack ?? null }];
        }),
      ),
    ],
  );

/** By trial: the place of the wanted value among its results. The clean accuracy without an attack takes that of any attack. */
export const ordinalsOf = async (
  tx: Tx,
  trialIds: readonly string[],
  wanted: WantedValue,
): Promise<ReadonlyMap<string, number>> => {
  const { attack, metric } = wanted;
  const rows = await tx.query(
    { trial_id: text(), ordinal: int2() },
    `SELECT DISTINCT ON (s.trial_id) s.trial_id, s.ordinal FROM scores s LEFT JOIN stages a ON a.id = s.stage_id
     WHERE s.trial_id = ANY($1) AND s.metric = $2 AND ($3::text IS NULL OR s.attack = $3) AND ($4::jsonb IS NULL OR $4 @> a.attack)
     ORDER BY s.trial_id, a.attack = $4 DESC NULLS LAST, s.ordinal`,
    [
      plainArray(trialIds),
      metric,
      isOfTrial(wanted) ? null : (attack?.attack ?? ''),
      attack ? JSON.stringify(attack) : null,
    ],
  );
  return new Map(rows.map(({ trial_id, ordinal }) => [trial_id, ordinal]));
};

/** The trials of these rows with their values, in the order of the rows. */
export const unitTrials = async (
  tx: Tx,
  rows: readonly RowOf<typeof unitColumns>[],
  values: readonly WantedValue[],
): Promise<readonly UnitTrial[]> => {
  const found = new Map<string, number | null>();
  if (rows.length > 0 && values.some((wanted) => !isOfTrial(wanted)))
    for (const { trial_id, place, value } of await scoresOf(
      tx,
      rows.map(({ id }) => id),
      values,
    ))
      found.set(`${trial_id} ${place}`, value);
  return rows.map(({ id, seed, status, verdict, clean_accuracy }) => ({
    id,
    seed,
    status,
    verdict,
    values: values.map((wanted, place) =>
      isOfTrial(wanted) ? clean_accuracy : (found.get(`${id} ${place}`) ?? null),
    ),
  }));
};
