/**
 * A worker without trainers: it claims, writes, beats and reconciles as the product's worker does, as often and over a pool of its own,
 * and lets time pass where a trainer would work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClaimedStage,
  claimStage,
  completeStage,
  type Db,
  getBlobs,
  heartbeat,
  reconcile,
  recordCheckpoint,
  releaseStage,
} from '@funnel/db';
import { createSimulatedTrainer } from '@funnel/worker';

/** What takes time, in milliseconds each; `idle` is a claim that found nothing. */
export const operations = ['claim', 'idle', 'checkpoint', 'complete', 'heartbeat', 'reconcile'] as const;
export type Operation = (typeof operations)[number];

export type Phase = {
  readonly seconds: number;
  /** Of every stage, on the mean; 0: all that the database gives. */
  readonly stageSeconds: number;
};

export type Recorder = {
  readonly time: <T>(operation: Operation | ((result: T) => Operation), work: () => Promise<T>) => Promise<T>;
  readonly fail: (error: unknown) => void;
};

/** As the worker's own: see apps/worker. */
const leaseSeconds = 10;
const beatMilliseconds = 2000;
const reconcileMilliseconds = 3000;
const pollMilliseconds = 2000;
const maxAttempts = 3;

const trainer = createSimulatedTrainer({});

/** The networks that a stage starts from, out of the database. */
const loadStart = async (db: Db, { start }: ClaimedStage) => {
  if (!start) return null;
  const { networks, moments } = start.manifest;
  const hashes = [...Object.values(networks), ...(moments ? [moments] : [])].map(({ blob }) => blob);
  return { ...start, blobs: await getBlobs(db, hashes) };
};

const work = async (
  db: Db,
  claimed: ClaimedStage,
  { time }: Recorder,
  wait: (seconds: number) => Promise<boolean>,
  stageSeconds: number,
): Promise<void> => {
  const { stageId, fencingToken, spec } = claimed;
  if (!(await wait(stageSeconds))) {
    await releaseStage(db, { stageId, fencingToken });
    return;
  }
  const end = await trainer.run(
    { spec, start: await loadStart(db, claimed), surrogates: [] },
    {
      signal: new AbortController().signal,
      onProgress: () => {},
      onCheckpoint: async ({ manifest, blobs }, metrics) => {
        await time('checkpoint', () =>
          recordCheckpoint(db, { stageId, fencingToken, manifest, blobs, metrics }),
        );
      },
    },
  );
  if (end.status !== 'completed') throw new Error(`Expected the stand-in to complete, but it ${end.status}`);
  await time('complete', () =>
    completeStage(db, { stageId, fencingToken, evaluation: end.evaluation ?? undefined }),
  );
};

/** Works for one phase; resolves when everything is handed back. */
export const simulateWorker = async (
  db: Db,
  workerId: string,
  { seconds, stageSeconds }: Phase,
  recorder: Recorder,
): Promise<void> => {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), seconds * 1000);
  const { signal } = over;
  /** False: the phase ended meanwhile. Spread, so that workers do not march in step. */
  const wait = async (mean: number): Promise<boolean> => {
    await sleep(mean * 1000 * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    return !signal.aborted;
  };
  let held: ClaimedStage | null = null;

  const every = async (milliseconds: number, duty: () => Promise<unknown>): Promise<void> => {
    while (await wait(milliseconds / 1000)) await duty().catch(recorder.fail);
  };
  const beat = () => {
    const leases = held ? [{ ...held, position: null, imagesPerSecond: null }] : [];
    return recorder.time('heartbeat', () =>
      heartbeat(db, { workerId, leases, memoryBytes: 1, leaseSeconds }),
    );
  };
  const claim = () =>
    recorder.time<ClaimedStage | null>(
      (result) => (result ? 'claim' : 'idle'),
      () => claimStage(db, { workerId, leaseSeconds, backend: 'stand-in', device: 'none' }),
    );
  const turn = async (): Promise<void> => {
    held = await claim();
    if (held) await work(db, held, recorder, wait, stageSeconds).finally(() => (held = null));
    else await wait(pollMilliseconds / 1000);
  };
  const claiming = async (): Promise<void> => {
    while (!signal.aborted) await turn().catch(recorder.fail);
  };
  await Promise.all([
    claiming(),
    every(beatMilliseconds, beat),
    every(reconcileMilliseconds, () =>
      recorder.time('reconcile', () => reconcile(db, { maxAttempts, leaseSeconds })),
    ),
  ]);
  clearTimeout(timer);
};
