/**
 * A worker without training: it claims, writes, sends heartbeats and reconciles as often as a real worker, and waits where a trainer would
 * train.
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
  startPropagation,
} from '@funnel/db';
import { createSimulatedTrainer } from '@funnel/worker';

/** The timed operations; `idle` is a claim that found no stage. */
export const operations = ['claim', 'idle', 'checkpoint', 'complete', 'heartbeat', 'reconcile'] as const;
export type Operation = (typeof operations)[number];

export type Phase = {
  readonly seconds: number;
  /** Mean length of a stage; 0: as many stages as the database can give. */
  readonly stageSeconds: number;
};

export type Recorder = {
  readonly time: <T>(operation: Operation | ((result: T) => Operation), act: () => Promise<T>) => Promise<T>;
  readonly fail: (error: unknown) => void;
};

/** The same as in apps/worker. */
const leaseSeconds = 10;
const heartbeatMs = 2000;
const reconcileMs = 3000;
const pollMs = 2000;
const maxAttempts = 3;

const trainer = createSimulatedTrainer({});

/** Loads the networks that a stage starts from. */
const loadStart = async (db: Db, { start }: ClaimedStage) => {
  if (!start) return null;
  const { networks, moments } = start.manifest;
  const hashes = [...Object.values(networks), ...(moments ? [moments] : [])].map(({ blob }) => blob);
  return { ...start, blobs: await getBlobs(db, hashes) };
};

const runStage = async (
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
      onCheckpoint: async ({ manifest, blobs }, metrics, perClass) => {
        await time('checkpoint', () =>
          recordCheckpoint(db, { stageId, fencingToken, manifest, blobs, metrics, perClass }),
        );
      },
    },
  );
  if (end.status !== 'completed')
    throw new Error(`Expected the simulated trainer to complete, but it ended as ${end.status}`);
  await time('complete', () =>
    completeStage(db, { stageId, fencingToken, evaluation: end.evaluation ?? undefined }),
  );
};

/** Works for one phase. Resolves when every stage is completed or released. */
export const simulateWorker = async (
  { db, heartbeatDb }: { readonly db: Db; readonly heartbeatDb: Db },
  workerId: string,
  { seconds, stageSeconds }: Phase,
  recorder: Recorder,
): Promise<void> => {
  const phaseEnd = new AbortController();
  const timer = setTimeout(() => phaseEnd.abort(), seconds * 1000);
  const { signal } = phaseEnd;
  /** Waits between half and one and a half times `mean`, so that workers do not act at the same moment. False: the phase has ended. */
  const wait = async (mean: number): Promise<boolean> => {
    await sleep(mean * 1000 * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    return !signal.aborted;
  };
  let held: ClaimedStage | null = null;

  const repeat = async (milliseconds: number, duty: () => Promise<unknown>): Promise<void> => {
    while (await wait(milliseconds / 1000)) await duty().catch(recorder.fail);
  };
  const sendHeartbeat = () => {
    const leases = held ? [{ ...held, position: null, imagesPerSecond: null }] : [];
    return recorder.time('heartbeat', () =>
      heartbeat(heartbeatDb, { workerId, leases, memoryBytes: 1, leaseSeconds }),
    );
  };
  const claim = () =>
    recorder.time<ClaimedStage | null>(
      (result) => (result ? 'claim' : 'idle'),
      () => claimStage(db, { workerId, leaseSeconds, backend: 'simulated', device: 'none' }),
    );
  const runNext = async (): Promise<void> => {
    held = await claim();
    if (held) await runStage(db, held, recorder, wait, stageSeconds).finally(() => (held = null));
    else await wait(pollMs / 1000);
  };
  const propagation = startPropagation(db, recorder.fail);
  const claiming = async (): Promise<void> => {
    while (!signal.aborted) await runNext().catch(recorder.fail);
  };
  await Promise.all([
    claiming(),
    repeat(heartbeatMs, sendHeartbeat),
    repeat(reconcileMs, () => recorder.time('reconcile', () => reconcile(db, { maxAttempts, leaseSeconds }))),
  ]);
  clearTimeout(timer);
  await propagation.close();
};
