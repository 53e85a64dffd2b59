/** The work itself: who does it, its stages, and the networks that it left. */
import { z } from 'zod';
import { Evaluation, Stage, StageLogLine, Worker } from '../resources.ts';
import { ById, Id } from './parameters.ts';
import type { Route } from './route.ts';

export const workRoutes = {
  listWorkers: {
    method: 'GET',
    url: '/v1/workers',
    summary: 'Workers and what each runs.',
    role: 'read',
    response: z.strictObject({ items: z.array(Worker) }),
    errors: [],
  },
  getStage: {
    method: 'GET',
    url: '/v1/stages/:id',
    summary: 'One stage.',
    role: 'read',
    params: ById,
    response: Stage,
    errors: ['NOT_FOUND'],
  },
  getStageLog: {
    method: 'GET',
    url: '/v1/stages/:id/log',
    summary: 'What happened to a stage, oldest first: its attempts, their errors, and its epochs.',
    role: 'read',
    params: ById,
    response: z.strictObject({ items: z.array(StageLogLine) }),
    errors: ['NOT_FOUND'],
  },
  getEvaluation: {
    method: 'GET',
    url: '/v1/stages/:id/evaluation',
    summary: 'The evaluation of an attack stage.',
    role: 'read',
    params: ById,
    response: Evaluation,
    errors: ['NOT_FOUND'],
  },
  getModel: {
    method: 'GET',
    url: '/v1/checkpoints/:hash/:network/model.json',
    summary: 'A network as a TF.js layers model: open it with tf.loadLayersModel(url).',
    role: 'read',
    params: z.strictObject({ hash: Id, network: Id }),
    response: z.looseObject({
      format: z.literal('layers-model'),
      modelTopology: z.unknown(),
      weightsManifest: z.array(z.unknown()),
    }),
    errors: ['NOT_FOUND'],
  },
  getWeights: {
    method: 'GET',
    url: '/v1/checkpoints/:hash/:network/weights.bin',
    summary: 'Its weights, float32 little-endian.',
    role: 'read',
    params: z.strictObject({ hash: Id, network: Id }),
    produces: 'application/octet-stream',
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
