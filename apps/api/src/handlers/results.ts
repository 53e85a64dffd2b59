import { AppError, type NetworkManifest } from '@funnel/contracts';
import {
  compareTrials,
  type Db,
  getBlobs,
  getCheckpoint,
  getEvaluation,
  getImages,
  getMetrics,
  getStage,
  getTrial,
  leaderboard,
  readStageLog,
} from '@funnel/db';
import type { Context, Handlers, RouteReply } from './handler.ts';

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

/** A stored network in the format that `tf.loadLayersModel(url)` opens: a topology, and weights at an address beside it. */

type CheckpointHandlers = Pick<Handlers, 'getModel' | 'getWeights'>;

const findNetwork = async (db: Db, hash: string, name: string): Promise<NetworkManifest> => {
  const { networks } = await getCheckpoint(db, hash);
  const network = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (!network)
    throw new AppError(
      'NOT_FOUND',
      `Expected one of ${Object.keys(networks).join(', ')} in this checkpoint, but got ${JSON.stringify(name)}`,
    );
  return network;
};

/** What a hash names never changes. `private`: a token may have been needed to see it. */
const keepForever = (reply: RouteReply): void =>
  reply.header('cache-control', 'private, max-age=31536000, immutable');

export const checkpointHandlers = ({ db }: Context): CheckpointHandlers => ({
  getModel: async ({ params }, reply) => {
    const { topology, weights } = await findNetwork(db, params.hash, params.network);
    keepForever(reply);
    return {
      format: 'layers-model',
      generatedBy: 'Funnel',
      modelTopology: topology,
      weightsManifest: [
        {
          paths: ['weights.bin'],
          weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
        },
      ],
    };
  },
  getWeights: async ({ params }, reply) => {
    const { blob } = await findNetwork(db, params.hash, params.network);
    const blobs = await getBlobs(db, [blob]);
    keepForever(reply);
    return blobs.get(blob)!;
  },
});
