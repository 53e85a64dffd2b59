/** A stored network in the format that `tf.loadLayersModel(url)` opens: a topology, and weights at an address beside it. */
import { AppError, type NetworkManifest } from '@funnel/contracts';
import { type Db, getBlobs, getCheckpoint } from '@funnel/db';
import type { Handlers, RouteReply } from '../routing/handler.ts';
import type { Context } from './context.ts';

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
