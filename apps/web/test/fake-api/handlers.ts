/** The answers of the fake server to each route. */
import {
  type AnnotateSweep,
  countByClass,
  type DatasetImagesQuery,
  type ErrorCode,
  type ExtendSearch,
  type LeaderboardQuery,
  SweepDefinition,
  type TryPoint,
  type Worker,
} from '@funnel/contracts';
import { networksOf } from '../../src/model/networks.ts';
import { fakeImagesOf, findFakeDataset, listFakeDatasets, unfinishedFakes } from './fake-datasets.ts';
import { decisionsOf, stateOf } from './fake-search.ts';
import { leaderboardOf } from './leaderboard.ts';
import { modelJson, networksFor, weightsBin } from './models.ts';
import { galleryOf, recordsOf } from './results.ts';
import type { FakeSweep, World } from './world.ts';

export class Fault extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

type Request = {
  readonly params: Record<string, string>;
  readonly query: Record<string, unknown>;
  readonly body: unknown;
};

const need = <T>(value: T | null | undefined, what: string): T => {
  if (value === null || value === undefined) throw new Fault('NOT_FOUND', `There is no ${what}.`);
  return value;
};

const paged = <T>(items: readonly T[], query: Record<string, unknown>) => {
  const limit = Number(query.limit ?? 50);
  const from = Number(query.cursor ?? 0);
  const next = from + limit < items.length ? String(from + limit) : null;
  return { items: items.slice(from, from + limit), next };
};

const workers = (world: World): Worker[] => {
  const running = [...world.sweeps.values()]
    .flatMap((sweep) => [...sweep.stages.values()].filter((stage) => stage.status === 'running'))
    .slice(0, 4);
  const base = {
    host: 'gpu-1',
    pid: 4711,
    version: '0.1.0',
    schema: '0001_init',
    startedAt: '2026-11-22T06:00:00Z',
    heartbeatAt: new Date().toISOString(),
    engineVersion: '1',
    trainerBytes: 2e9,
    datasets: [
      { name: 'mnist', images: 60_000 },
      { name: 'glyphs', images: 60_000 },
    ],
    setAside: null,
    refusals: [],
  };
  return [
    {
      ...base,
      id: 'worker-a',
      backend: 'cuda',
      device: 'NVIDIA H100',
      slots: 4,
      status: 'online',
      memoryBytes: 3.1e9,
      running: running.map((s) => ({
        stage: s.id,
        kind: s.kind,
        position: s.position,
        epochs: s.epochs,
        imagesPerSecond: 5210,
      })),
    },
    {
      ...base,
      id: 'worker-b',
      host: 'old-laptop',
      backend: 'wasm',
      device: 'wasm (SIMD), 2 cores',
      slots: 1,
      status: 'draining',
      memoryBytes: 4.2e8,
      running: [],
    },
    {
      ...base,
      id: 'worker-d',
      host: 'lab-3',
      backend: 'wasm',
      device: 'wasm (SIMD), 16 cores',
      slots: 2,
      status: 'online',
      memoryBytes: 9.6e8,
      datasets: [{ name: 'glyphs', images: 60_000 }],
      running: [],
      ...(world.restored.has('worker-d')
        ? {}
        : {
            setAside: { since: '2026-11-22T09:12:00Z', failures: 4, probeAt: '2026-11-22T09:17:00Z' },
            refusals: [
              {
                kind: 'initialise',
                method: 'funn',
                dataset: 'mnist',
                lack: 'data',
                reason: 'Expected train-images-idx3-ubyte.gz in a folder mnist, but there is no folder mnist',
                at: '2026-11-22T09:10:00Z',
              },
            ],
          }),
    },
    {
      ...base,
      id: 'worker-c',
      host: 'spot-7',
      heartbeatAt: '2026-11-22T08:00:00Z',
      backend: 'wasm',
      device: 'wasm (SIMD), 8 cores',
      slots: 8,
      status: 'gone',
      memoryBytes: 1.1e9,
      running: [],
    },
  ];
};

export const createHandlers = (world: World): Record<string, (request: Request) => unknown> => {
  const sweep = (r: Request) => need(world.sweeps.get(r.params.id!), `sweep ${r.params.id}`);
  const trial = (id: string) => need(world.findTrial(id), `trial ${id}`);
  const searchOf = (found: FakeSweep) => need(found.search, `search of the sweep ${found.id}`);
  const searchState = (found: FakeSweep) =>
    stateOf(searchOf(found), found.definition, found.id, world.endsOf(found));
  const setStatus = (status: 'running' | 'paused' | 'cancelled') => (r: Request) => {
    const found = sweep(r);
    found.status = status;
    if (status === 'cancelled')
      for (const [i, now] of found.statuses.entries())
        if (now === 'waiting' || now === 'running') found.statuses[i] = 'cancelled';
    world.emit({ type: 'sweep', sweepId: found.id, status });
    return world.sweepOf(found);
  };
  /** A network that the stage of the checkpoint would have stored. */
  const network = (r: Request) => {
    const made = [...world.sweeps.values()].flatMap((found) =>
      [...found.stages.values()].map((stage) => ({ found, stage })),
    );
    const { found, stage } = need(
      made.find(({ stage: { checkpoint } }) => checkpoint === r.params.hash),
      `checkpoint ${r.params.hash}`,
    );
    const { shape, classes } = world.dataOfSweep(found);
    const stored = networksOf(stage).find((name) => name === r.params.network);
    return need(stored && networksFor(shape, classes.length)[stored], `network ${r.params.network}`);
  };
  const newest = () => [...world.sweeps.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return {
    planSweep: (r) => world.plan(SweepDefinition.parse(r.body)).plan,
    restoreWorker: (r) => {
      world.restored.add(String(r.params.id));
      return need(
        workers(world).find(({ id }) => id === r.params.id),
        `worker ${r.params.id}`,
      );
    },
    createSweep: (r) => world.detailOf(world.addSweep(r.body as never, { tags: r.query.tag as string[] })),
    listSubmissions: (r) => paged(world.submissions, r.query),
    withdrawSubmission: (r) => {
      const place = world.submissions.findIndex(({ id }) => id === r.params.id);
      need(world.submissions[place], `submission ${r.params.id}`);
      world.submissions.splice(place, 1);
    },
    listSweeps: (r) => {
      const { status, search } = r.query;
      const tags = r.query.tag as readonly string[];
      const found = newest().filter(
        (s) =>
          (status === undefined || s.status === status) &&
          tags.every((tag) => s.tags.includes(tag)) &&
          s.definition.name.toLowerCase().includes(String(search ?? '').toLowerCase()),
      );
      const page = paged(found, r.query);
      return { ...page, items: page.items.map(world.sweepOf) };
    },
    getSweep: (r) => world.detailOf(sweep(r)),
    annotateSweep: (r) => {
      const found = sweep(r);
      const { notes, tags, addTags = [], removeTags = [] } = r.body as AnnotateSweep;
      found.notes = notes ?? found.notes;
      const kept = found.tags.filter((tag) => !removeTags.includes(tag));
      found.tags = tags ?? [...new Set([...kept, ...addTags])];
      world.emit({ type: 'sweep', sweepId: found.id, status: found.status as 'running' });
      return world.detailOf(found);
    },
    listTrials: (r) => {
      const found = sweep(r);
      const page = paged(found.planned.slice(0, world.trialCount(found)), r.query);
      return { ...page, items: page.items.map((t) => world.trialOf(found, t.number)) };
    },
    getSearch: (r) => searchState(sweep(r)),
    listDecisions: (r) => {
      const found = sweep(r);
      return paged(decisionsOf(searchOf(found), found.id, world.endsOf(found)), r.query);
    },
    extendSearch: (r) => {
      const found = sweep(r);
      world.extend(found, (r.body as ExtendSearch).trials);
      return world.sweepOf(found);
    },
    tryPoint: (r) => {
      const found = sweep(r);
      searchOf(found).waitingPoints.push((r.body as TryPoint).point);
      return searchState(found);
    },
    listStages: (r) => paged([...sweep(r).stages.values()], r.query),
    pauseSweep: setStatus('paused'),
    resumeSweep: setStatus('running'),
    cancelSweep: setStatus('cancelled'),
    retrySweep: setStatus('running'),
    deleteSweep: (r) => {
      world.sweeps.delete(sweep(r).id);
      world.emit({ type: 'sweep', sweepId: r.params.id!, status: 'deleted' });
    },
    getTrial: (r) => {
      const { sweep, n } = trial(r.params.id!);
      return world.trialDetailOf(sweep, n);
    },
    getMetrics: (r) => {
      const { sweep, n } = trial(r.params.id!);
      return { series: world.metricsOf(sweep, n) };
    },
    getImages: (r) => {
      const { sweep, n } = trial(r.params.id!);
      const run = need(sweep.stages.get(r.params.stage!)?.attack, `evaluation ${r.params.stage}`);
      const records = recordsOf(sweep.planned[n]!, run);
      const { shape } = world.dataOfSweep(sweep);
      return { ...records, perClass: countByClass(records, 10), gallery: galleryOf(records, shape) };
    },
    leaderboard: (r) => paged(leaderboardOf(world, r.query as LeaderboardQuery), r.query),
    compare: (r) => {
      const trials = String(r.query.trials)
        .split(',')
        .map((id) => {
          const { sweep, n } = trial(id);
          return world.trialDetailOf(sweep, n);
        });
      const names = [...new Set(trials.flatMap((t) => Object.keys(t.hyperparameters)))];
      return {
        trials,
        differs: names.filter((name) => new Set(trials.map((t) => t.hyperparameters[name])).size > 1),
      };
    },
    listDatasets: () => ({ items: listFakeDatasets(), unfinished: [...unfinishedFakes] }),
    getDataset: (r) => need(findFakeDataset(r.params.name!), `data set ${r.params.name}`),
    getDatasetImages: (r) =>
      fakeImagesOf(
        need(findFakeDataset(r.params.name!), `data set ${r.params.name}`),
        r.query as DatasetImagesQuery,
      ),
    listWorkers: () => ({ items: workers(world) }),
    getWorkerLog: (r) => {
      const worker = need(
        workers(world).find(({ id }) => id === r.params.id),
        'worker',
      );
      const line = (stage: string, message: string, level: 'info' | 'error' = 'info') => ({
        ...{ at: worker.startedAt, attempt: 1, level, message, stage, kind: 'classify' as const },
        detail: level === 'error' ? 'Error: it fell\n    at step (train.ts:7)' : null,
      });
      return {
        items: [
          line('a'.repeat(64), `began on ${worker.id} (wasm)`),
          line('a'.repeat(64), 'ended: completed, 4 new epochs'),
          line('b'.repeat(64), `began on ${worker.id} (wasm)`),
          line('b'.repeat(64), 'ended: failed, TRAINER_DIED: SIGKILL', 'error'),
        ],
      };
    },
    getStageLog: (r) => {
      const stage = need(
        [...world.sweeps.values()].map((s) => s.stages.get(r.params.id!)).find((s) => s !== undefined),
        'stage',
      );
      const line = (message: string, level: 'info' | 'error' = 'info', attempt: number | null = 1) => ({
        ...{ at: stage.startedAt!, attempt, level, message },
        detail: level === 'error' ? 'Error: it fell\n    at step (train.ts:7)' : null,
      });
      if (stage.status === 'waiting' || stage.status === 'ready') return { items: [] };
      return {
        items: [
          line('began on worker-a (wasm)'),
          ...Array.from({ length: stage.position?.epoch ?? 0 }, (_, i) =>
            line(`epoch ${i + 1}`, 'info', null),
          ),
          stage.status === 'failed' ? line('ended: failed', 'error') : line(`ended: ${stage.status}`),
        ],
      };
    },
    getStage: (r) =>
      need(
        [...world.sweeps.values()].map((s) => s.stages.get(r.params.id!)).find((s) => s !== undefined),
        'stage',
      ),
    getModel: (r) => modelJson(network(r)),
    getWeights: (r) => weightsBin(network(r)),
    health: () => ({ status: 'ok' }),
    ready: () => ({ status: 'ok', database: 'ok', queue: 'ok' }),
    getSchema: () => ({}),
  };
};
