/** Every question that the pages ask, under one key each, and which events make its answer old. */
import type { Output } from '@funnel/client';
import type { FunnelEvent, Trial, TrialDetail } from '@funnel/contracts';
import { call } from './api.ts';
import type { LiveQuery } from './use-query.ts';

/** A trial waits on stages of its own and, for a state passed on the way, on the longer stage of the same chain. */
const usesStage = (trial: TrialDetail, stage: string): boolean =>
  trial.stages.some((own) => own.id === stage || own.dependsOn === stage);

const touchesTrial = (event: FunnelEvent, trial: TrialDetail): boolean => {
  if (event.type === 'trial') return event.trialId === trial.id;
  return (event.type === 'stage' || event.type === 'evaluation') && usesStage(trial, event.stage);
};

export const sweepQuery = (id: string): LiveQuery<Output<'getSweep'>> => ({
  key: `sweep/${id}`,
  load: (signal) => call('getSweep', { params: { id } }, signal),
  affectedBy: (event) => event.sweepId === id,
});

export const trialQuery = (id: string): LiveQuery<TrialDetail> => ({
  key: `trial/${id}`,
  load: (signal) => call('getTrial', { params: { id } }, signal),
  affectedBy: (event, trial) => trial !== undefined && touchesTrial(event, trial),
});

/** Training curves. They grow with every epoch of a stage that the trial uses; which those are, only the trial itself knows. */
export const metricsQuery = (trial: TrialDetail): LiveQuery<Output<'getMetrics'>> => ({
  key: `metrics/${trial.id}`,
  load: (signal) => call('getMetrics', { params: { id: trial.id } }, signal),
  affectedBy: (event) =>
    (event.type === 'epoch' || event.type === 'stage') &&
    event.kind !== 'attack' &&
    usesStage(trial, event.stage),
});

/** Per-image records of a finished evaluation: they never change. */
export const imagesQuery = (trialId: string, stage: string): LiveQuery<Output<'getImages'>> => ({
  key: `images/${trialId}/${stage}`,
  load: (signal) => call('getImages', { params: { id: trialId, stage } }, signal),
});

export const compareQuery = (ids: readonly string[]): LiveQuery<Output<'compare'>> => ({
  key: `compare/${ids.join(',')}`,
  load: (signal) => call('compare', { query: { trials: ids.join(',') } }, signal),
  affectedBy: (event, answer) => answer?.trials.some((trial) => touchesTrial(event, trial)) ?? false,
});

export const workersQuery: LiveQuery<Output<'listWorkers'>> = {
  key: 'workers',
  load: (signal) => call('listWorkers', {}, signal),
  affectedBy: (event) => event.type === 'stage' || event.type === 'epoch',
};

/** Everything that happened to a stage so far. */
export const stageLogQuery = (id: string): LiveQuery<Output<'getStageLog'>> => ({
  key: `stage-log/${id}`,
  load: (signal) => call('getStageLog', { params: { id } }, signal),
  affectedBy: (event) => 'stage' in event && event.stage === id,
});

export const stageQuery = (id: string): LiveQuery<Output<'getStage'>> => ({
  key: `stage/${id}`,
  load: (signal) => call('getStage', { params: { id } }, signal),
  affectedBy: (event) => 'stage' in event && event.stage === id,
});

/** What a plan costs. The definition is its own key: the same text is asked once. */
export const planQuery = (definition: object): LiveQuery<Output<'planSweep'>> => ({
  key: `plan/${JSON.stringify(definition)}`,
  load: (signal) => call('planSweep', { body: definition as never }, signal), // checked by the schema before it is asked
});

export const isOver = (status: Trial['status']): boolean => status !== 'waiting' && status !== 'running';
