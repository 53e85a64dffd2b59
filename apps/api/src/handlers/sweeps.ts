import { createHash } from 'node:crypto';
import { canonicalJson } from '@funnel/contracts';
import {
  cancelSweep,
  deleteSweep,
  getSweep,
  knownChains,
  listStages,
  listSweeps,
  listTrials,
  pauseSweep,
  resumeSweep,
  retrySweep,
  submitSweep,
} from '@funnel/db';
import { settlePlan } from '@funnel/planner';
import type { Handlers } from '../routing/handler.ts';
import type { Context } from './context.ts';
import { outlineChecked } from './plan.ts';

type SweepHandlers = Pick<
  Handlers,
  | 'planSweep'
  | 'createSweep'
  | 'listSweeps'
  | 'getSweep'
  | 'listTrials'
  | 'listStages'
  | 'pauseSweep'
  | 'resumeSweep'
  | 'cancelSweep'
  | 'retrySweep'
  | 'deleteSweep'
>;

/** Of the definition with its defaults filled in: JSON and YAML that say the same are the same body. */
const hashBody = (definition: unknown): string =>
  createHash('sha256').update(canonicalJson(definition)).digest('hex');

export const sweepHandlers = ({ db, ring, engineVersion }: Context): SweepHandlers => ({
  planSweep: async ({ body }) => {
    const { outline, chains } = outlineChecked(body, engineVersion);
    return settlePlan(outline, await knownChains(db, chains)).plan;
  },

  createSweep: async ({ body, headers }, reply) => {
    const { outline, chains } = outlineChecked(body, engineVersion);
    const key = headers['idempotency-key'];
    const { sweepId, created, readyStages } = await submitSweep(db, {
      definition: body,
      chains,
      settle: (known) => settlePlan(outline, known),
      ...(key !== undefined && { idempotency: { key, bodyHash: hashBody(body) } }),
    });
    await ring(readyStages);
    reply.status(created ? 201 : 200);
    reply.header('location', `/v1/sweeps/${sweepId}`);
    return getSweep(db, sweepId);
  },

  listSweeps: ({ query }) => listSweeps(db, query),
  getSweep: ({ params }) => getSweep(db, params.id),
  listTrials: ({ params, query }) => listTrials(db, { sweep: params.id, ...query }),
  listStages: ({ params, query }) => listStages(db, { sweep: params.id, ...query }),

  pauseSweep: async ({ params }) => {
    await pauseSweep(db, params.id);
    return getSweep(db, params.id);
  },
  cancelSweep: async ({ params }) => {
    const { readyStages } = await cancelSweep(db, params.id);
    await ring(readyStages);
    return getSweep(db, params.id);
  },
  resumeSweep: async ({ params }) => {
    const { readyStages } = await resumeSweep(db, params.id);
    await ring(readyStages);
    return getSweep(db, params.id);
  },
  retrySweep: async ({ params }) => {
    const { readyStages } = await retrySweep(db, params.id);
    await ring(readyStages);
    return getSweep(db, params.id);
  },
  deleteSweep: async ({ params }) => {
    await deleteSweep(db, params.id);
    return undefined;
  },
});
