import { Readable } from 'node:stream';
import { AppError, comparedTrials, type NetworkManifest, type StageSpec } from '@funnel/contracts';
import {
  compareTrials,
  type Db,
  getCheckpoint,
  getEvaluation,
  getImages,
  getMetrics,
  getStage,
  getTrial,
  leaderboard,
  readBlob,
  readStageLog,
} from '@funnel/db';
import { versionChanges } from '@funnel/planner';
import { type Context, type Handlers, keepForever } from './handler.ts';

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

const countText = `${comparedTrials.min} to ${comparedTrials.max}`;

/** The ids in the query parameter `trials` of a comparison. Throws INVALID_REQUEST. */
const parseTrials = (text: string): readonly string[] => {
  const ids = text.split(',').map((id) => id.trim());
  const different = new Set(ids);
  const count = different.size < ids.length ? `only ${different.size} different` : String(ids.length);
  if (ids.includes('') || different.size < comparedTrials.min || different.size > comparedTrials.max)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected ${countText} different trial ids joined by commas, but got ${ids.includes('') ? 'an empty one' : count}`,
      {
        issues: [
          {
            path: 'trials',
            expected: `${countText} different ids joined by commas`,
            received: JSON.stringify(text.slice(0, 100)),
          },
        ],
      },
    );
  return [...different];
};

export const resultHandlers = ({ db, engineVersion }: Context): ResultHandlers => {
  const changesOf = (stage: StageSpec) => versionChanges(stage, engineVersion);
  return {
    getTrial: ({ params }) => getTrial(db, params.id, changesOf),
    getMetrics: async ({ params }) => ({ series: await getMetrics(db, params.id) }),
    getImages: ({ params }) => getImages(db, { trialId: params.id, stageId: params.stage }),
    leaderboard: ({ query }) => leaderboard(db, query, changesOf),
    compare: ({ query }) => compareTrials(db, parseTrials(query.trials), changesOf),
    getStage: ({ params }) => getStage(db, params.id),
    getStageLog: async ({ params }) => ({ items: await readStageLog(db, params.id) }),
    getEvaluation: ({ params }) => getEvaluation(db, params.id),
  };
};

type CheckpointHandlers = Pick<Handlers, 'getModel' | 'getWeights'>;

/** A network of a stored checkpoint. Throws NOT_FOUND. */
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

/** A stored network as `tf.loadLayersModel(url)` reads it: the topology, and the weights at an address beside it. */
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
    const { size, parts } = await readBlob(db, blob);
    keepForever(reply);
    reply.header('content-length', String(size));
    return Readable.from(parts, { objectMode: false });
  },
});
