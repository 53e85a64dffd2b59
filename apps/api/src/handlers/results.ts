import { AppError } from '@funnel/contracts';
import {
  compareTrials,
  getEvaluation,
  getImages,
  getMetrics,
  getStage,
  getTrial,
  leaderboard,
  readStageLog,
} from '@funnel/db';
import type { Handlers } from '../routing/handler.ts';
import type { Context } from './context.ts';

type ResultHandlers = Pick<
  Handlers,
  | 'getTrial'
  | 'getMetrics'
  | 'getImages'
  | 'leaderboard'
  | 'compare'
  | 'getStage'
  | 'getStageLog'
  | 'getEvaluation'
>;

const fewest = 2;
const most = 6;

const parseTrials = (text: string): readonly string[] => {
  const ids = text.split(',').map((id) => id.trim());
  const different = new Set(ids);
  if (ids.includes('') || different.size < fewest || different.size > most)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected ${fewest} to ${most} different trial ids joined by commas, but got ${ids.length}`,
      {
        issues: [
          {
            path: 'trials',
            expected: `${fewest} to ${most} different ids joined by commas`,
            received: JSON.stringify(text.slice(0, 100)),
          },
        ],
      },
    );
  return [...different];
};

export const resultHandlers = ({ db }: Context): ResultHandlers => ({
  getTrial: ({ params }) => getTrial(db, params.id),
  getMetrics: async ({ params }) => ({ series: await getMetrics(db, params.id) }),
  getImages: ({ params }) => getImages(db, { trialId: params.id, stageId: params.stage }),
  leaderboard: ({ query }) => leaderboard(db, query),
  compare: ({ query }) => compareTrials(db, parseTrials(query.trials)),
  getStage: ({ params }) => getStage(db, params.id),
  getStageLog: async ({ params }) => ({ items: await readStageLog(db, params.id) }),
  getEvaluation: ({ params }) => getEvaluation(db, params.id),
});
