/** The answers of a golden database. The version that made the database recorded them, and every later version must give the same. */
import { routes } from '@funnel/contracts';
import {
  type Db,
  getImages,
  getMetrics,
  getSweep,
  getTrial,
  leaderboard,
  listStages,
  listSweeps,
  listTrials,
} from '../../src/index.ts';

const board = (query: Record<string, unknown>) => routes.leaderboard.query.parse({ limit: 100, ...query });

/** The answers as JSON, without the seconds of running stages, which grow. */
const withoutClock = (answers: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answers, (key, value) => {
      if (key === 'etaSeconds') return undefined;
      return value?.status === 'running' && 'fencingToken' in value
        ? { ...value, seconds: undefined }
        : value;
    }),
  );

export const answersOf = async (db: Db) => {
  const sweeps = await listSweeps(db, { limit: 100 });
  const details = [];
  for (const { id } of sweeps.items) {
    const trials = await listTrials(db, { sweepId: id, limit: 100 });
    const shown = [];
    for (const trial of trials.items)
      shown.push({ trial: await getTrial(db, trial.id), metrics: await getMetrics(db, trial.id) });
    const stages = (await listStages(db, { sweepId: id, limit: 100 })).items;
    details.push({ sweep: await getSweep(db, id), trials, shown, stages });
  }
  const ranked = await leaderboard(db, board({}));
  const best = await getTrial(db, ranked.items.find(({ verdict }) => verdict !== 'masked')!.trialId);
  return withoutClock({
    sweeps,
    details,
    leaderboard: {
      worstCase: ranked,
      byAttack: await leaderboard(db, board({ attack: 'fgsm', metric: 'successRate' })),
      byConfiguration: await leaderboard(db, board({ group: 'configuration' })),
      filtered: await leaderboard(db, board({ where: 'gamma:1' })),
    },
    images: await getImages(db, { trialId: best.id, stageId: best.evaluations[0]!.stage }),
  });
};
