import { median, wilsonInterval } from '@funnel/attacks/statistics';
import {
  type LeaderboardQuery,
  type LeaderboardRow,
  readExtended,
  type Trial,
  threatModelOf,
  writeExtended,
} from '@funnel/contracts';
import type { FakeSweep, World } from './world.ts';

/** Whether the configuration of a trial has no completed trial at a higher rung. */
const isHighest = ({ search, statuses }: FakeSweep, trial: Trial): boolean => {
  const unit = search?.units[trial.decision ?? -1];
  return !search?.units.some(
    (other) =>
      unit?.configuration === other?.configuration &&
      (other?.rung ?? 0) > (unit?.rung ?? 0) &&
      other?.planned.some(({ number }) => statuses[number] === 'completed'),
  );
};

/** Ranks trials by one metric of one attack, like the real query in the cases that the pages use. */
export const leaderboardOf = (world: World, query: LeaderboardQuery): LeaderboardRow[] => {
  const rows: (LeaderboardRow & { key: string; values: number[] })[] = [];
  const groups = new Map<string, (typeof rows)[number]>();
  for (const sweep of world.sweeps.values()) {
    if (query.sweep !== undefined && query.sweep !== sweep.id) continue;
    if (!query.tag.every((tag) => sweep.tags.includes(tag))) continue;
    if (query.dataset !== undefined && query.dataset !== sweep.definition.dataset.name) continue;
    for (const point of sweep.planned) {
      if (sweep.statuses[point.number] !== 'completed') continue;
      if (query.recipe.length > 0 && !query.recipe.includes(point.recipe)) continue;
      const trial: Trial = world.trialOf(sweep, point.number);
      const candidates = trial.evaluations.filter(
        (e) => query.attack === undefined || e.attack === query.attack,
      );
      const worst = [...candidates].sort((a, b) => b.summary.successes - a.summary.successes)[0];
      if (!worst) continue;
      const value = readExtended(
        (query.attack === undefined ? trial.worstCase?.values : worst.summary)?.[query.metric] ?? null,
      );
      if (query.rungs === 'highest' && !isHighest(sweep, trial)) continue;
      const key =
        query.group === 'configuration' ? `${sweep.id}/${point.configuration}/${trial.rung}` : trial.id;
      const found = groups.get(key);
      if (found) {
        found.seeds.push(trial.seed);
        found.counts.images += worst.summary.images;
        found.counts.correct += worst.summary.attempted;
        found.counts.fooled += worst.summary.successes;
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
        ...(trial.rung !== undefined && { rung: trial.rung }),
        attack: worst.attack,
        settings: worst.settings,
        ...(query.attack === undefined && { within: threatModelOf(trial.evaluations) }),
        metric: query.metric,
        value: null,
        halfWidth: null,
        interval: null,
        counts: {
          images: worst.summary.images,
          correct: worst.summary.attempted,
          fooled: worst.summary.successes,
        },
        cleanAccuracy: trial.cleanAccuracy,
        cleanInterval:
          trial.cleanAccuracy === null ? null : wilsonInterval(Math.round(2000 * trial.cleanAccuracy), 2000),
        rejectedClean: worst.summary.rejectedClean,
        rejectedAttacked: worst.summary.rejectedAttacked,
        verdict,
        reasons: verdict === 'masked' ? ['62 of 200 images have a gradient of exactly zero (H10).'] : [],
        ...(verdict === 'ok' &&
          trial.seed === 0 && {
            missedByGradients: [
              {
                attacks: ['square-linf' as const],
                norm: 'linf' as const,
                epsilon: 0.3,
                missed: 7,
                images: 200,
              },
            ],
          }),
        key,
        values: value === null ? [] : [value],
      };
      groups.set(key, row);
      rows.push(row);
    }
  }
  const ranked = rows.map(({ key: _, values, ...row }): LeaderboardRow => {
    const infinite = values.filter((value) => !Number.isFinite(value)).length;
    const mean = values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
    const value = infinite > 0 ? median(values) : mean;
    const spread =
      mean === null || infinite > 0 || values.length < 2
        ? null
        : (4.3 * Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1))) /
          Math.sqrt(values.length);
    return {
      ...row,
      value: value === null ? null : writeExtended(value),
      ...(infinite > 0 && query.group === 'configuration' && { infiniteSeeds: infinite }),
      halfWidth: spread,
      interval:
        value === null || !Number.isFinite(value)
          ? null
          : row.metric === 'robustAccuracy'
            ? wilsonInterval(Math.round(value * row.counts.images), row.counts.images)
            : [value * 0.9, value * 1.1],
    };
  });
  const of = (row: LeaderboardRow) => readExtended(row.value) ?? -1;
  const byValue = (a: LeaderboardRow, b: LeaderboardRow) => (a.value === b.value ? 0 : of(b) - of(a));
  const last = (row: LeaderboardRow) => (query.masked === 'last' && row.verdict === 'masked' ? 1 : 0);
  const byRung = (a: LeaderboardRow, b: LeaderboardRow) =>
    query.rungs === 'highest' ? (b.rung ?? 0) - (a.rung ?? 0) : 0;
  ranked.sort((a, b) => byRung(a, b) || last(a) - last(b) || byValue(a, b));
  return ranked.map((row, i) => {
    const start = query.rungs === 'highest' ? ranked.findIndex(({ rung }) => rung === row.rung) : 0;
    return {
      ...row,
      rank: row.value === null ? null : i - start + 1,
      ...(row.value !== null && i < 50 && { letters: row.verdict === 'masked' ? 'c' : i < 3 ? 'a' : 'b' }),
    };
  });
};
