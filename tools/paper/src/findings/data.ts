/** The numbers of the findings as plain data. An infinite distance is `"Infinity"`, as in the answers of the API. */
import { writeExtended } from '@funnel/contracts';
import type { Beyond, Rated } from './beyond.ts';
import type { Reproduction } from './reproduction.ts';
import type { Setting } from './settings.ts';

const settingData = ({ number, configuration, nearness }: Setting) => ({
  number,
  trials: configuration.trials,
  seeds: configuration.seeds,
  hyperparameters: configuration.hyperparameters,
  nearness: nearness.value,
  cleanAccuracy: configuration.cleanAccuracy,
  hingeActive: configuration.hinge,
  verdict: configuration.verdict,
  checks: configuration.findings,
  rows: nearness.rows.map(({ name, printed, row, distance, agrees }) => ({
    name,
    printed,
    ours: row?.printed.title ?? null,
    successes: row?.measured?.successes ?? null,
    attempted: row?.measured?.attempted ?? null,
    interval: row?.measured?.pooled ?? null,
    distance,
    agrees,
  })),
});

const ratedData = ({ number, configuration, medians, medianL2, cleanAccuracy, verdict, ratio }: Rated) => ({
  number,
  recipe: configuration.recipe,
  trials: configuration.trials,
  seeds: configuration.seeds,
  hyperparameters: configuration.hyperparameters,
  medians: medians.map(writeExtended),
  medianL2: writeExtended(medianL2),
  cleanAccuracy,
  verdict,
  ratio: ratio && { value: writeExtended(ratio.value), interval: ratio.interval },
});

export const findingsData = (reproduction: Reproduction | null, beyond: Beyond | null) => ({
  reproduction: reproduction && {
    settings: reproduction.settings.map(settingData),
    effects: reproduction.effects,
    fullSize: reproduction.fullSize.map(settingData),
  },
  beyond: beyond && {
    reference: beyond.reference?.configuration.trials ?? null,
    funn: beyond.funn.map(ratedData),
    others: beyond.others.map(ratedData),
  },
});
