/** Routes that plan, submit, list and control sweeps. */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { DistanceMetricName } from '../metrics.ts';
import { Plan } from '../plan.ts';
import { ExtendSearch, SearchDecision, SearchState, TryPoint } from '../resources/searches.ts';
import { Stage } from '../resources/stages.ts';
import { Submission, Sweep, SweepDetail } from '../resources/sweeps.ts';
import { Trial, TrialExtra } from '../resources/trials.ts';
import { StoredSweepStatus, TrialStatus } from '../statuses.ts';
import { SweepDefinition } from '../sweep.ts';
import { AnnotateSweep, SweepTag, SweepTags } from '../sweep-annotations.ts';
import { Line } from '../text.ts';
import { ById, many, page, pageOf, type Route } from './route.ts';

const sweepAction = (action: string, summary: string, refusals: readonly ErrorCode[] = []) =>
  ({
    method: 'POST',
    url: `/v1/sweeps/:id/${action}`,
    summary,
    role: 'submit',
    params: ById,
    response: Sweep,
    errors: ['NOT_FOUND', 'INVALID_TRANSITION', ...refusals],
  }) as const;

export const sweepRoutes = {
  planSweep: {
    method: 'POST',
    url: '/v1/sweeps/plan',
    summary: 'The plan of a sweep: trials, stages, epochs with and without sharing. Writes nothing.',
    role: 'read',
    body: SweepDefinition,
    response: Plan,
    errors: [
      'INVALID_REQUEST',
      'MALFORMED_BODY',
      'SWEEP_TOO_LARGE',
      'CONTINUOUS_GRID',
      'DATASET_UNKNOWN',
      'TOO_MANY_OWN_PLANS',
    ],
  },
  createSweep: {
    method: 'POST',
    url: '/v1/sweeps',
    summary:
      'Submit a sweep. With an Idempotency-Key a repeated request of the same client returns the same sweep. A large sweep that is not written within seconds is answered with 202 and its place in the queue.',
    role: 'submit',
    headers: z.looseObject({ 'idempotency-key': Line.min(1).max(200).optional() }),
    query: z.strictObject({
      tag: many(SweepTag).pipe(SweepTags).meta({
        description:
          'A tag of the new sweep; may be repeated. A repeated request with the same Idempotency-Key changes no tag.',
      }),
    }),
    body: SweepDefinition,
    response: SweepDetail,
    status: 201,
    accepted: Submission,
    errors: [
      'INVALID_REQUEST',
      'MALFORMED_BODY',
      'SWEEP_TOO_LARGE',
      'CONTINUOUS_GRID',
      'DATASET_UNKNOWN',
      'IDEMPOTENCY_CONFLICT',
      'TOO_MANY_OWN_SUBMISSIONS',
      'TOO_MANY_OWN_SWEEPS',
      'TOO_MANY_OWN_BYTES',
    ],
  },
  listSubmissions: {
    method: 'GET',
    url: '/v1/submissions',
    summary: 'Submissions that wait or run, oldest first, and those that were refused within a day.',
    role: 'read',
    query: z.strictObject({ ...page }),
    response: pageOf(Submission),
    errors: [],
  },
  getSubmission: {
    method: 'GET',
    url: '/v1/submissions/:id',
    summary: 'One submission: its place in the queue, its sweep, or why it was refused.',
    role: 'read',
    params: ById,
    response: Submission,
    errors: ['NOT_FOUND'],
  },
  withdrawSubmission: {
    method: 'DELETE',
    url: '/v1/submissions/:id',
    summary: 'Withdraw a submission whose sweep is not written yet.',
    role: 'submit',
    params: ById,
    status: 204,
    errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  },
  listSweeps: {
    method: 'GET',
    url: '/v1/sweeps',
    summary: 'Sweeps, newest first.',
    role: 'read',
    query: z.strictObject({
      status: StoredSweepStatus.optional().meta({
        description: '`paused` and `cancelled` include sweeps of which a stage still runs.',
      }),
      search: z.string().max(200).optional(),
      tag: many(SweepTag).meta({
        description: 'Only sweeps with this tag. Repeated: with all of these tags.',
      }),
      ...page,
    }),
    response: pageOf(Sweep),
    errors: [],
  },
  getSweep: {
    method: 'GET',
    url: '/v1/sweeps/:id',
    summary: 'One sweep with its definition.',
    role: 'read',
    params: ById,
    response: SweepDetail,
    errors: ['NOT_FOUND'],
  },
  annotateSweep: {
    method: 'PATCH',
    url: '/v1/sweeps/:id',
    summary: 'Change the notes or the tags of a sweep, which people read. Its definition stays.',
    role: 'submit',
    params: ById,
    body: AnnotateSweep,
    response: SweepDetail,
    errors: ['NOT_FOUND', 'INVALID_REQUEST'],
  },
  listTrials: {
    method: 'GET',
    url: '/v1/sweeps/:id/trials',
    summary: 'Trials of a sweep by number.',
    role: 'read',
    params: ById,
    query: z.strictObject({
      status: TrialStatus.optional(),
      intervals: many(DistanceMetricName).meta({
        description:
          'Also compute the 95 % interval of this metric, for every attack and the worst case; repeat it for several metrics.',
      }),
      include: many(TrialExtra).meta({
        description: 'Also compute `robustAtEpsilon` of attacks that look for the smallest change.',
      }),
      ...page,
    }),
    response: pageOf(Trial),
    errors: ['NOT_FOUND'],
  },
  listStages: {
    method: 'GET',
    url: '/v1/sweeps/:id/stages',
    summary: 'The stage tree of a sweep.',
    role: 'read',
    params: ById,
    query: z.strictObject({ ...page }),
    response: pageOf(Stage),
    errors: ['NOT_FOUND'],
  },
  pauseSweep: sweepAction('pause', 'Stop running stages after a checkpoint, and start no others.'),
  resumeSweep: sweepAction('resume', 'Go on from the checkpoints.'),
  cancelSweep: sweepAction('cancel', 'Stop the stages that only this sweep needs. Finished results stay.'),
  retrySweep: sweepAction('retry', 'Give failed stages new attempts.', [
    'TOO_MANY_OWN_SWEEPS',
    'TOO_MANY_OWN_BYTES',
  ]),
  getSearch: {
    method: 'GET',
    url: '/v1/sweeps/:id/search',
    summary:
      'The search of a sweep: what it has decided, the best so far or the Pareto front, and why it ended.',
    role: 'read',
    params: ById,
    response: SearchState,
    errors: ['NOT_FOUND'],
  },
  listDecisions: {
    method: 'GET',
    url: '/v1/sweeps/:id/decisions',
    summary: 'The decisions of a search by number, each with its point, its trials and its outcome.',
    role: 'read',
    params: ById,
    query: z.strictObject({ ...page }),
    response: pageOf(SearchDecision),
    errors: ['NOT_FOUND'],
  },
  extendSearch: {
    method: 'POST',
    url: '/v1/sweeps/:id/extend',
    summary:
      'Give a search more configurations. A search of 20 that is extended by 20 decides the same as one of 40.',
    role: 'submit',
    params: ById,
    body: ExtendSearch,
    response: Sweep,
    errors: [
      'NOT_FOUND',
      'INVALID_REQUEST',
      'INVALID_TRANSITION',
      'SWEEP_TOO_LARGE',
      'TOO_MANY_OWN_SWEEPS',
      'TOO_MANY_OWN_BYTES',
    ],
  },
  tryPoint: {
    method: 'POST',
    url: '/v1/sweeps/:id/points',
    summary: 'Give a running search a point. The next proposal takes it.',
    role: 'submit',
    params: ById,
    body: TryPoint,
    response: SearchState,
    errors: ['NOT_FOUND', 'INVALID_REQUEST', 'INVALID_TRANSITION'],
  },
  deleteSweep: {
    method: 'DELETE',
    url: '/v1/sweeps/:id',
    summary:
      'Delete a sweep that has ended, with its trials. Stages that other sweeps need stay. A large sweep is deleted in batches: it is `deleting` until then.',
    role: 'submit',
    params: ById,
    status: 204,
    errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  },
} as const satisfies Record<string, Route>;
