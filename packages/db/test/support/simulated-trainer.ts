/** A simulated trainer: its states are a function of chain and position, so that every run of a stage gives the same bits. */
import { createHash } from 'node:crypto';
import {
  type CheckpointManifest,
  type CleanCounts,
  type EvaluationRecords,
  type EvaluationSummary,
  fewestCorrect,
  isBounded,
  type Position,
  type Usage,
  type Verdict,
} from '@funnel/contracts';
import {
  type ClaimedStage,
  claimStage,
  completeStage,
  type Db,
  type EvaluationWrite,
  recordCheckpoint,
} from '../../src/index.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The state of a chain at a position, and its bytes. `line`: gives other bits, as from a device whose results are not reproducible. */
export const stateAt = (chain: string, { epoch, step }: Position, line = '') => {
  const weights = bytesOf(`weights${line} ${chain} ${epoch} ${step}`);
  const moments = bytesOf(`moments${line} ${chain} ${epoch} ${step}`);
  const manifest: CheckpointManifest = {
    position: { epoch, step },
    networks: {
      encoder: { topology: { layers: 1 }, weights: [{ name: 'w', shape: [1] }], blob: sha256(weights) },
    },
    moments: { tensors: [{ name: 'm', shape: [1] }], blob: sha256(moments) },
    scalars: { floor: 0.01 },
  };
  return { manifest, blobs: new Map([weights, moments].map((bytes) => [sha256(bytes), bytes])) };
};

/** Two test images of each of ten classes. After `epoch` epochs, both are correct in as many classes, and one is in the others. */
export const countsAt = (epoch: number): CleanCounts => ({
  images: new Array<number>(10).fill(2),
  correct: Array.from({ length: 10 }, (_, label) => (label < epoch ? 2 : 1)),
});

export const record = (
  db: Db,
  { stageId, fencingToken, spec }: ClaimedStage,
  position: Position,
  line = '',
  usage: Usage | null = null,
) =>
  recordCheckpoint(db, {
    stageId,
    fencingToken,
    usage,
    ...stateAt(spec.chain, position, line),
    metrics:
      position.step > 0
        ? null
        : spec.kind === 'classify'
          ? { classifierLoss: 1 / position.epoch, cleanAccuracy: 0.9 }
          : { attackerLoss: 1 / position.epoch, defenderLoss: 2 / position.epoch },
    perClass: spec.kind === 'classify' && position.step === 0 ? countsAt(position.epoch) : null,
  });

/** Trains from the start that the claim gives to the last epoch. Resolves to the number of trained epochs. */
export const train = async (db: Db, claimed: ClaimedStage): Promise<number> => {
  const from = claimed.start?.sameChain ? claimed.start.manifest.position.epoch : 0;
  for (let epoch = from + 1; epoch <= claimed.spec.epochs; epoch++)
    await record(db, claimed, { epoch, step: 0 });
  return claimed.spec.epochs - from;
};

/**
 * An evaluation of images that are all classified correctly when clean. The outcomes repeat until there are enough images for a verdict, which
 * changes no share and no median.
 */
export const evaluationOf = (
  claimed: ClaimedStage,
  outcomes: readonly boolean[],
  {
    verdict = 'ok',
    medianL2 = 1 as EvaluationSummary['medianL2'],
    l2 = 0.5,
  }: { verdict?: Verdict; medianL2?: EvaluationSummary['medianL2']; l2?: number } = {},
): EvaluationWrite => {
  const success = Array.from({ length: Math.ceil(fewestCorrect / outcomes.length) }, () => outcomes).flat();
  const images = success.length;
  const successes = success.filter(Boolean).length;
  const each = <T>(value: (i: number) => T): T[] => success.map((_, i) => value(i));
  const records: EvaluationRecords = {
    index: each((i) => i),
    label: each((i) => i % 10),
    correct: each(() => true),
    predicted: each((i) => (i + 1) % 10),
    success: [...success],
    l2: each((i) => (success[i] ? l2 : null)),
    linf: each((i) => (success[i] ? l2 / 2 : null)),
    l0: each((i) => (success[i] ? 3 : null)),
    steps: each(() => 1),
    queries: each(() => 2),
  };
  const hasBudget = isBounded(claimed.spec.attack!);
  const summary: EvaluationSummary = {
    ...{ images, attempted: images, cleanAccuracy: 1, cleanInterval: [0.9, 1], successes },
    ...{
      successRate: successes / images,
      successInterval: [0, 1],
      robustAccuracy: hasBudget ? (images - successes) / images : null,
    },
    ...{
      robustInterval: hasBudget ? [0, 1] : null,
      noiseLevel: successes > 0 ? l2 : null,
      noiseLevelAll: l2,
      meanSquaredError: 0.01,
    },
    ...{
      medianL2Success: successes > 0 ? l2 : null,
      medianL2,
      medianLinf: medianL2,
      medianL0: 3,
      meanQueries: 2,
      meanSteps: 1,
    },
  };
  return {
    ...claimed.spec.attack!,
    summary,
    verdict,
    diagnostics:
      verdict === 'ok'
        ? []
        : [{ id: 'H10', value: 1, threshold: 0.5, verdict, detail: 'Gradients vanish on every image' }],
    records,
    gallery: {
      shape: [2, 2, 1],
      index: [0],
      original: new Uint8Array([0, 1, 2, 3]),
      attacked: new Uint8Array([9, 8, 7, 6]),
    },
  };
};

/** Trains and completes a claimed stage. Resolves to the number of trained epochs. */
export const finish = async (db: Db, claimed: ClaimedStage): Promise<number> => {
  const epochs = await train(db, claimed);
  const { stageId, fencingToken } = claimed;
  const evaluation =
    claimed.spec.kind === 'attack' ? evaluationOf(claimed, [true, false, false, false]) : undefined;
  await completeStage(db, { stageId, fencingToken, evaluation });
  return epochs;
};

export const claim = (db: Db, workerId = 'worker'): Promise<ClaimedStage | null> =>
  claimStage(db, { workerId, leaseSeconds: 60 });

/** Claims and finishes stages until no stage is ready. Resolves to the number of trained epochs and the finished stages. */
export const drain = async (db: Db, workerId = 'worker'): Promise<{ epochs: number; stages: string[] }> => {
  let epochs = 0;
  const stages: string[] = [];
  for (let claimed = await claim(db, workerId); claimed; claimed = await claim(db, workerId)) {
    epochs += await finish(db, claimed);
    stages.push(claimed.stageId);
  }
  return { epochs, stages };
};
