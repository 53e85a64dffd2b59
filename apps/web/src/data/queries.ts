/** Every query of the pages to the server, with the events that make its answer stale. Use them with `useQuery` and `useAnswers`. */
import type { DatasetImagesQuery, FunnelEvent, Trial, TrialDetail } from '@funnel/contracts';
import { queryOptions, type UseQueryOptions, type UseQueryResult, useQueries } from '@tanstack/react-query';
import { call } from './api.ts';
import { liveMeta } from './query-client.ts';

/** A trial depends on its own stages and, if it takes an intermediate state of a longer stage, on that stage. */
const usesStage = (trial: TrialDetail, stage: string): boolean =>
  trial.stages.some((own) => own.id === stage || own.dependsOn === stage);

const touchesTrial = (event: FunnelEvent, trial: TrialDetail): boolean => {
  if (event.type === 'trial') return event.trialId === trial.id;
  return (event.type === 'stage' || event.type === 'evaluation') && usesStage(trial, event.stage);
};

/** While trainers stop, or an action on a large sweep goes on, the sweep is fetched with this pause. */
const changingMs = 1000;
const changing: readonly string[] = ['pausing', 'retrying', 'cancelling', 'deleting'];

export const sweepQuery = (id: string) =>
  queryOptions({
    queryKey: ['sweep', id],
    queryFn: ({ signal }) => call('getSweep', { params: { id } }, signal),
    // The end of a pause, a retry or a cancellation is no event.
    refetchInterval: ({ state }) => (changing.includes(state.data?.status ?? '') ? changingMs : false),
    meta: liveMeta((event) => event.sweepId === id),
  });

/** A search decides when trials end, and ends with its sweep. */
export const changesSearch = (id: string) => (event: FunnelEvent) =>
  event.sweepId === id && (event.type === 'trial' || event.type === 'sweep');

export const searchQuery = (id: string) =>
  queryOptions({
    queryKey: ['search', id],
    queryFn: ({ signal }) => call('getSearch', { params: { id } }, signal),
    meta: liveMeta(changesSearch(id)),
  });

export const trialQuery = (id: string) =>
  queryOptions({
    queryKey: ['trial', id],
    queryFn: ({ signal }) => call('getTrial', { params: { id } }, signal),
    meta: liveMeta<TrialDetail>((event, trial) => trial !== undefined && touchesTrial(event, trial)),
  });

/** Training curves. They grow with every epoch of a stage that the trial uses. */
export const metricsQuery = (trial: TrialDetail) =>
  queryOptions({
    queryKey: ['metrics', trial.id],
    queryFn: ({ signal }) => call('getMetrics', { params: { id: trial.id } }, signal),
    meta: liveMeta(
      (event) =>
        (event.type === 'epoch' || event.type === 'stage') &&
        event.kind !== 'attack' &&
        usesStage(trial, event.stage),
    ),
  });

/** The per-image records of a finished evaluation. They never change. */
export const imagesQuery = (trialId: string, stage: string) =>
  queryOptions({
    queryKey: ['images', trialId, stage],
    queryFn: ({ signal }) => call('getImages', { params: { id: trialId, stage } }, signal),
  });

export const compareQuery = (ids: readonly string[]) =>
  queryOptions({
    queryKey: ['compare', ...ids],
    queryFn: ({ signal }) => call('compare', { query: { trials: ids.join(',') } }, signal),
    meta: liveMeta<{ readonly trials: readonly TrialDetail[] }>(
      (event, answer) => answer?.trials.some((trial) => touchesTrial(event, trial)) ?? false,
    ),
  });

/** Submissions have no events. */
const submissionsMs = 3000;

export const submissionsQuery = queryOptions({
  queryKey: ['submissions'],
  queryFn: ({ signal }) => call('listSubmissions', { query: { limit: 100 } }, signal),
  refetchInterval: submissionsMs,
});

export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => call('listWorkers', {}, signal),
  meta: liveMeta((event) => event.type === 'stage' || event.type === 'epoch'),
});

/** Data sets have no events, and change seldom. */
const datasetsMs = 30_000;

export const datasetsQuery = queryOptions({
  queryKey: ['datasets'],
  queryFn: ({ signal }) => call('listDatasets', {}, signal),
  refetchInterval: datasetsMs,
});

export const datasetQuery = (name: string) =>
  queryOptions({
    queryKey: ['dataset', name],
    queryFn: ({ signal }) => call('getDataset', { params: { name } }, signal),
    refetchInterval: datasetsMs,
  });

export const datasetImagesQuery = (name: string, query: DatasetImagesQuery) =>
  queryOptions({
    queryKey: ['dataset-images', name, query],
    queryFn: ({ signal }) => call('getDatasetImages', { params: { name }, query }, signal),
  });

export const stageQuery = (id: string) =>
  queryOptions({
    queryKey: ['stage', id],
    queryFn: ({ signal }) => call('getStage', { params: { id } }, signal),
    meta: liveMeta((event) => 'stage' in event && event.stage === id),
  });

export const stageLogQuery = (id: string) =>
  queryOptions({
    queryKey: ['stage-log', id],
    queryFn: ({ signal }) => call('getStageLog', { params: { id } }, signal),
    meta: liveMeta((event) => 'stage' in event && event.stage === id),
  });

export const workerLogQuery = (id: string) =>
  queryOptions({
    queryKey: ['worker-log', id],
    queryFn: ({ signal }) => call('getWorkerLog', { params: { id } }, signal),
  });

/** The plan of a definition. The definition is part of the key, so that the server plans the same text only once. */
export const planQuery = (definition: object) =>
  queryOptions({
    queryKey: ['plan', definition],
    queryFn: ({ signal }) => call('planSweep', { body: definition as never }, signal), // the schema has accepted it
  });

export const hasEnded = (status: Trial['status']): boolean => status !== 'waiting' && status !== 'running';

export type Answers<T> = {
  /** In the order of the queries; undefined until an answer arrives. */
  readonly data: readonly (T | undefined)[];
  /** The first error; null without one. */
  readonly error: Error | null;
  readonly loading: boolean;
};

const combine = <T>(results: readonly UseQueryResult<T>[]): Answers<T> => ({
  data: results.map(({ data }) => data),
  error: results.find(({ error }) => error !== null)?.error ?? null,
  loading: results.some(({ isLoading }) => isLoading),
});

/** Several answers at once. `data` is the same array until an answer changes. */
export const useAnswers = <T, Key extends readonly unknown[]>(
  queries: readonly UseQueryOptions<T, Error, T, Key>[],
): Answers<T> => useQueries({ queries: queries as unknown as UseQueryOptions<T>[], combine: combine<T> }); // the type of the keys does not matter here
