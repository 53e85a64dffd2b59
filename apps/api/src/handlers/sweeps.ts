import { AppError, type ClientLimits, type Submission, type Sweep } from '@funnel/contracts';
import {
  type Author,
  actingAs,
  annotateSweep,
  cancelSweep,
  type Db,
  deleteSweep,
  getSubmission,
  getSweep,
  listStages,
  listSubmissions,
  listSweeps,
  listTrials,
  pauseSweep,
  resumeSweep,
  retrySweep,
  type SubmissionState,
  withdrawSubmission,
} from '@funnel/db';
import { sweepContext } from '@funnel/tracing';
import { toProblem } from '../problems.ts';
import type { Context, Handlers } from './handler.ts';

type SweepHandlers = Pick<
  Handlers,
  | 'planSweep'
  | 'createSweep'
  | 'listSweeps'
  | 'getSweep'
  | 'listTrials'
  | 'listStages'
  | 'annotateSweep'
  | 'pauseSweep'
  | 'resumeSweep'
  | 'cancelSweep'
  | 'retrySweep'
  | 'deleteSweep'
  | 'listSubmissions'
  | 'getSubmission'
  | 'withdrawSubmission'
>;

type Change = { readonly params: { readonly id: string }; readonly author: Author };

/** The handler of an action on a sweep. It returns the sweep with the fields that a list of sweeps has. */
const actionWith =
  ({ db, limits, wakeActions }: Context, act: (db: Db, id: string, limits: ClientLimits) => Promise<void>) =>
  async ({ params, author }: Change): Promise<Sweep> => {
    await act(actingAs(db, author), params.id, limits);
    wakeActions();
    const { definition, notes, stages, waitsFor, ...sweep } = await getSweep(db, params.id);
    return sweep;
  };

const actions = (context: Context) => ({
  pauseSweep: actionWith(context, pauseSweep),
  resumeSweep: actionWith(context, resumeSweep),
  cancelSweep: actionWith(context, cancelSweep),
  retrySweep: actionWith(context, retrySweep),
});

const answerOf = ({ refusal, ...state }: SubmissionState): Submission => ({
  ...state,
  problem: refusal && toProblem(new AppError(refusal.code, refusal.message, refusal.details)),
});

type Submitting = Pick<
  SweepHandlers,
  'planSweep' | 'createSweep' | 'listSubmissions' | 'getSubmission' | 'withdrawSubmission'
>;
const submitting = ({ db, relay, engineVersion, planning, submissions, tracer }: Context): Submitting => ({
  planSweep: ({ body, client: caller, signal }) =>
    planning.plan({ definition: body, engineVersion }, { caller, signal }),

  createSweep: async ({ body, query, headers, author, client, signal }, reply) => {
    const start = Date.now();
    const key = headers['idempotency-key'];
    const outcome = await submissions.submit({
      ...{ client, author, definition: body, engineVersion, tags: query.tag, signal },
      ...(key !== undefined && { idempotencyKey: key }),
    });
    if ('submission' in outcome) {
      reply.status(202);
      reply.header('location', `/v1/submissions/${outcome.submission.id}`);
      reply.header('retry-after', '2');
      return answerOf(outcome.submission);
    }
    const { sweepId, created } = outcome;
    relay.wake();
    // The root span of all work on the sweep. A repeated submission returns the same sweep; its span was sent the first time.
    if (created) tracer.start('submit', { context: sweepContext(sweepId), kind: 'server', start }).end();
    reply.status(created ? 201 : 200);
    reply.header('location', `/v1/sweeps/${sweepId}`);
    return getSweep(db, sweepId);
  },

  listSubmissions: async ({ query }) => {
    const { items, next } = await listSubmissions(db, query);
    return { items: items.map(answerOf), next };
  },
  getSubmission: async ({ params }) => answerOf(await getSubmission(db, params.id)),
  withdrawSubmission: async ({ params, author }) => {
    await withdrawSubmission(actingAs(db, author), params.id);
    return undefined;
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
  ...submitting(context),
  ...reading(context),
  ...actions(context),
  annotateSweep: async ({ params, body, author }) => {
    await annotateSweep(actingAs(context.db, author), params.id, body);
    return getSweep(context.db, params.id);
  },
  deleteSweep: async ({ params, author }) => {
    await deleteSweep(actingAs(context.db, author), params.id);
    context.wakeActions();
    return undefined;
  },
});
