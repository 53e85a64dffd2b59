import type { Sweep } from '@funnel/contracts';
import {
  type Author,
  actingAs,
  cancelSweep,
  type Db,
  deleteSweep,
  getSweep,
  listStages,
  listSweeps,
  listTrials,
  pauseSweep,
  resumeSweep,
  retrySweep,
} from '@funnel/db';
import { sweepContext } from '@funnel/tracing';
import type { Context, Handlers } from './handler.ts';

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

type Change = { readonly params: { readonly id: string }; readonly author: Author };

/** The handler of an action on a sweep. It returns the sweep with the fields that a list of sweeps has. */
const actionWith =
  ({ db }: Context, act: (db: Db, id: string) => Promise<void>) =>
  async ({ params, author }: Change): Promise<Sweep> => {
    await act(actingAs(db, author), params.id);
    const { definition, stages, ...sweep } = await getSweep(db, params.id);
    return sweep;
  };

const actions = (context: Context) => ({
  pauseSweep: actionWith(context, pauseSweep),
  resumeSweep: actionWith(context, resumeSweep),
  cancelSweep: actionWith(context, cancelSweep),
  retrySweep: actionWith(context, retrySweep),
});

const submission = ({
  db,
  relay,
  engineVersion,
  planning,
  tracer,
}: Context): Pick<SweepHandlers, 'planSweep' | 'createSweep'> => ({
  planSweep: ({ body, client }) => planning.plan({ definition: body, engineVersion }, client),

  createSweep: async ({ body, headers, author, client }, reply) => {
    const start = Date.now();
    const key = headers['idempotency-key'];
    const { sweepId, created } = await planning.submit(
      { definition: body, engineVersion, author, ...(key !== undefined && { idempotencyKey: key }) },
      client,
    );
    relay.wake(); // a planning process commits on its own connection, so its commit does not wake this relay
    // The root span of all work on the sweep. A repeated submission returns the same sweep; its span was sent the first time.
    if (created) tracer.start('submit', { context: sweepContext(sweepId), kind: 'server', start }).end();
    reply.status(created ? 201 : 200);
    reply.header('location', `/v1/sweeps/${sweepId}`);
    return getSweep(db, sweepId);
  },
});

type Reading = 'listSweeps' | 'getSweep' | 'listTrials' | 'listStages';
const reading = ({ db }: Context): Pick<SweepHandlers, Reading> => ({
  listSweeps: ({ query }) => listSweeps(db, query),
  getSweep: ({ params }) => getSweep(db, params.id),
  listTrials: ({ params, query }) => listTrials(db, { sweepId: params.id, ...query }),
  listStages: ({ params, query }) => listStages(db, { sweepId: params.id, ...query }),
});

export const sweepHandlers = (context: Context): SweepHandlers => ({
  ...submission(context),
  ...reading(context),
  ...actions(context),
  deleteSweep: async ({ params, author }) => {
    await deleteSweep(actingAs(context.db, author), params.id);
    return undefined;
  },
});
