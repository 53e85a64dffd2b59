/** How sure the values of units of a search are: the trials of a configuration, one for each seed. By the rules of the leaderboard. */
import { type SearchState, type TrialVerdict, worstTrialVerdict, writeExtended } from '@funnel/contracts';
import { int4, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { ordinalsOf } from '../searches/unit-trials.ts';
import type { WantedValue } from '../types.ts';
import { cleanIntervalOf, countsOf, intervalsOf, readEvidence, type SeedEvidence } from './evidence.ts';

type Evidence = NonNullable<SearchState['front'][number]['evidence']>[number];

/** A unit with the first of its trials, and its values, of which each is the mean over the seeds. */
export type ShownUnit = { readonly trial: string; readonly values: readonly number[] };

const noEvidence: Evidence = { interval: null, images: 0, seeds: 0 };

/** Over all test images, which no attack chooses. */
const cleanEvidence = (seeds: readonly SeedEvidence[]): Evidence => ({
  interval: cleanIntervalOf(seeds),
  images: seeds.reduce((sum, { tested }) => sum + (tested ?? 0), 0),
  seeds: seeds.length,
});

/** Of one objective, for each unit. */
const evidenceOf = async (
  tx: Tx,
  units: readonly ShownUnit[],
  wanted: WantedValue,
  place: number,
): Promise<readonly Evidence[]> => {
  const { attack, metric } = wanted;
  const isClean = attack === undefined && metric === 'cleanAccuracy';
  const ordinals = await ordinalsOf(
    tx,
    units.map(({ trial }) => trial),
    wanted,
  );
  const found = units.flatMap(({ trial, values }, unit) => {
    const ordinal = ordinals.get(trial);
    return ordinal === undefined ? [] : [{ unit, trial_id: trial, ordinal, value: values[place]! }];
  });
  const seeds = await readEvidence(tx, found, { metric, allSeeds: true });
  const measured = found.map(({ value }, i) => ({ value, seeds: seeds[i]! }));
  const intervals = isClean ? [] : await intervalsOf(tx, measured, metric);
  const evidence = units.map((): Evidence => noEvidence);
  for (const [i, { unit }] of found.entries()) {
    const interval = intervals[i];
    evidence[unit] = isClean
      ? cleanEvidence(seeds[i]!)
      : {
          interval: interval ? [writeExtended(interval[0]), writeExtended(interval[1])] : null,
          images: countsOf(seeds[i]!).images,
          seeds: seeds[i]!.length,
        };
  }
  return evidence;
};

const readVerdicts = (tx: Tx, units: readonly ShownUnit[]) =>
  tx.query(
    { place: int4(), verdict: orNull(text<TrialVerdict>()) },
    `SELECT (u.place - 1)::int AS place, o.verdict FROM unnest($1::text[]) WITH ORDINALITY AS u (id, place)
     JOIN trials t ON t.id = u.id JOIN trials o ON o.sweep_id = t.sweep_id AND o.configuration_index = t.configuration_index`,
    [units.map(({ trial }) => trial)],
  );

/** For each unit, the evidence of each objective, and its worst verdict; null before the first evaluation. */
export const unitEvidence = async (
  db: Db,
  units: readonly ShownUnit[],
  objectives: readonly WantedValue[],
): Promise<readonly { readonly evidence: readonly Evidence[]; readonly verdict: TrialVerdict | null }[]> => {
  if (units.length === 0) return [];
  const tx = reading(db);
  const [verdicts, ...byObjective] = await Promise.all([
    readVerdicts(tx, units),
    ...objectives.map((wanted, place) => evidenceOf(tx, units, wanted, place)),
  ]);
  return units.map((_, unit) => {
    const own = verdicts.flatMap(({ place, verdict }) => (place === unit && verdict ? [verdict] : []));
    return {
      evidence: byObjective.map((evidence) => evidence[unit]!),
      verdict: own.length === 0 ? null : worstTrialVerdict(own),
    };
  });
};
