import { type LeaderboardQuery, type LeaderboardRow, type Trial, threatModelOf } from '@funnel/contracts';
import type { World } from './world.ts';

/** Trials ranked by one metric of one attack, as the real query does for the cases that the pages use. */
export const leaderboardOf = (world: World, query: LeaderboardQuery): LeaderboardRow[] => {
  const rows: (LeaderboardRow & { key: string; values: number[] })[] = [];
  const groups = new Map<string, (typeof rows)[number]>();
  for (const sweep of world.sweeps.values()) {
    if (query.sweep !== undefined && query.sweep !== sweep.id) continue;
    if (query.dataset !== undefined && query.dataset !== sweep.definition.dataset.name) continue;
    for (const point of sweep.planned) {
      if (sweep.statuses[point.number] !== 'completed') continue;
      if (query.recipe.length > 0 && !query.recipe.includes(point.recipe)) continue;
      const trial: Trial = world.trialOf(sweep, point.number);
      const candidates = trial.evaluations.filter(
        (e) => query.attack === undefined || e.attack === query.attack,
      );
      const worst = [...candidates].sort((a, b) => a.summary.robustAccuracy - b.summary.robustAccuracy)[0];
      if (!worst) continue;
      const value =
        (query.attack === undefined ? trial.worstCase?.values : worst.summary)?.[query.metric] ?? null;
      const key = query.group === 'configuration' ? `${sweep.id}/${point.configuration}` : trial.id;
      const found = groups.get(key);
      if (found) {
        found.seeds.push(trial.seed);
        if (value !== null) found.values.push(value);
        continue;
      }
      const verdict = trial.verdict ?? 'ok';
      if (query.masked === 'hide' && verdict === 'masked') continue;
      const row = {
        rank: 0,
        trialId: trial.id,
        sweepId: sweep.id,
        recipe: trial.recipe,
        dataset: trial.dataset,
        seeds: [trial.seed],
        hyperparameters: trial.hyperparameters,
        attack: worst.attack,
        settings: worst.settings,
        ...(query.attack === undefined && { within: threatModelOf(trial.evaluations) }),
        metric: query.metric,
        value,
        halfWidth: null,
        cleanAccuracy: trial.cleanAccuracy,
        rejectedClean: worst.summary.rejectedClean,
        rejectedAttacked: worst.summary.rejectedAttacked,
        verdict,
        reasons: verdict === 'masked' ? ['62 of 200 images have a gradient of exactly zero (H10).'] : [],
        key,
        values: value === null ? [] : [value],
      };
      groups.set(key, row);
      rows.push(row);
    }
  }
  const settled = rows.map(({ key: _, values, ...row }): LeaderboardRow => {
    const mean = values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
    const spread =
      mean === null || values.length < 2
        ? null
        : (4.3 * Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1))) /
          Math.sqrt(values.length);
    return { ...row, value: mean, halfWidth: spread };
  });
  const last = (row: LeaderboardRow) => (query.masked === 'last' && row.verdict === 'masked' ? 1 : 0);
  settled.sort((a, b) => last(a) - last(b) || (b.value ?? -1) - (a.value ?? -1));
  return settled.map((row, i) => ({ ...row, rank: i + 1 }));
};
