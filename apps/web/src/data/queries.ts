import type { Output } from '@funnel/client';
import type { FunnelEvent, Trial, TrialDetail } from '@funnel/contracts';
import { useCallback, useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import { call } from './api.ts';
import { type Affected, type LiveBatch, live, type StreamStatus } from './live.ts';
import type { Query, QueryState } from './query-cache.ts';

export type LiveQuery<T> = Query<T> & { readonly affectedBy?: Affected<T> };

const nothing: QueryState<never> = { data: undefined, error: undefined, loading: false };
const noWatch = () => () => undefined;

/** What the server answers, kept right by the event stream. `null` asks for nothing. */
export const useQuery = <T>(query: LiveQuery<T> | null): QueryState<T> & { readonly refresh: () => void } => {
  const key = query?.key;
  // The key names the query; its functions are made anew on every render.
  const watch = useCallback(
    (listener: () => void) => {
      if (query === null) return () => undefined;
      if (query.affectedBy) live.affectedBy.set(query.key, query.affectedBy as Affected<unknown>); // called with this key's data
      return live.cache.watch(query, listener);
    },
    [key],
  );
  const state = useSyncExternalStore(key === undefined ? noWatch : watch, () =>
    key === undefined ? (nothing as QueryState<T>) : live.cache.read<T>(key),
  );
  const refresh = useCallback(() => {
    if (key !== undefined) live.cache.refresh(key);
  }, [key]);
  return { ...state, refresh };
};

/** Calls back with every batch of events while the component is shown. */
export const useLive = (onBatch: (batch: LiveBatch) => void): void => {
  const handle = useEffectEvent(onBatch);
  useEffect(() => live.listen((batch) => handle(batch)), []);
};

export const useStreamStatus = (): StreamStatus => useSyncExternalStore(live.watchStatus, live.status);

/** Several answers at once, in the order of the questions. The array is the same until one of them changes. */
export const useQueries = <T>(queries: readonly LiveQuery<T>[]): readonly QueryState<T>[] => {
  const keys = queries.map(({ key }) => key).join('\n');
  const last = useRef<readonly QueryState<T>[]>([]);
  // The keys name the queries; their functions are made anew on every render.
  const watch = useCallback(
    (listener: () => void) => {
      const stops = queries.map((query) => {
        if (query.affectedBy) live.affectedBy.set(query.key, query.affectedBy as Affected<unknown>); // called with this key's data
        return live.cache.watch(query, listener);
      });
      return () => {
        for (const stop of stops) stop();
      };
    },
    [keys],
  );
  const read = () => {
    const now = queries.map(({ key }) => live.cache.read<T>(key));
    const same = now.length === last.current.length && now.every((state, i) => state === last.current[i]);
    if (!same) last.current = now;
    return last.current;
  };
  return useSyncExternalStore(watch, read);
};

/** Every question that the pages ask, under one key each, and which events make its answer old. */
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
