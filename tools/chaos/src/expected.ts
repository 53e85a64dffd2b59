/** The sweeps of the chaos suite, and the results that they must have. */
import {
  type CheckpointManifest,
  canonicalJson,
  engineVersion,
  type PlannedStage,
  SweepDefinition,
  type SweepInput,
} from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { createSimulatedTrainer } from '@funnel/worker';

const steps = [1, 2, 3, 4, 5];
const optimiseEpochs = [2, 3, 4];
const trialsPerSeed = steps.length * steps.length * optimiseEpochs.length;

/**
 * At least `trials` FUNN trials with two attacks each, one of them a transfer attack: 5 γ × up to 5 β × epochs {2, 3, 4}, and enough seeds.
 * 300 trials have 1,204 stages.
 */
export const simulatedSweep = (trials: number): SweepInput => ({
  name: 'chaos',
  dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
  space: {
    gamma: steps,
    beta: steps.slice(0, Math.ceil(trials / (steps.length * optimiseEpochs.length))).map((n) => n / 100),
    initialiseEpochs: 2,
    optimiseEpochs,
    classifierEpochs: 2,
  },
  seeds: Math.max(1, Math.ceil(trials / trialsPerSeed)),
  attacks: ['fgsm', 'transfer-linf'],
});

/** A sweep for real training in a minute or two. It has every kind of sharing and is long enough for every kind of fault. */
export const realSweep = (): SweepInput => ({
  name: 'chaos, trained',
  recipes: ['funn', 'classic'],
  dataset: { name: 'glyphs', train: 384, test: 60, attack: 20 },
  space: {
    filters: '4-8',
    latent: 8,
    noise: 4,
    gamma: [1, 5],
    initialiseEpochs: 2,
    optimiseEpochs: [1, 3],
    classifierEpochs: 3,
    optimiseAttackerRate: 1e-3,
    optimiseDefenderRate: 1e-3,
  },
  seeds: 2,
  attacks: ['fgsm', { attack: 'transfer-linf', steps: 5, surrogates: 2 }],
});

/**
 * Sweeps of one to eight trials that share stages: the same chains with other lengths, the same networks under other attacks. The
 * classifiers of seed 1 fail (see run-clients.ts).
 */
export const sharedSweeps = (): readonly SweepInput[] =>
  [1, 2, 3, 5].flatMap((optimiseEpochs) =>
    ([[1], [1, 2], [2, 3], [3, 4, 5], [5, 6], [6, 7, 8, 1]] as const).flatMap((gamma) =>
      ([[0], [0, 1]] as const).map(
        (seeds, i): SweepInput => ({
          name: `clients, ${gamma.length * seeds.length} trials of ${optimiseEpochs} epochs`,
          dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
          space: { gamma: [...gamma], initialiseEpochs: 2, optimiseEpochs, classifierEpochs: 2 },
          seeds: [...seeds],
          attacks: ['fgsm', gamma.length + i === 2 ? 'transfer-linf' : 'gradient'],
          priority: 10 * (optimiseEpochs + gamma.length),
          ...(gamma.length > 2 && i === 1 ? { maxRunning: 2 } : {}),
        }),
      ),
    ),
  );

/** The results of a sweep: they do not depend on the workers, the number of attempts or the order. */
export type Results = {
  /** `chain epoch` → blobs of its networks. */
  readonly networks: ReadonlyMap<string, string>;
  /** `chain epoch name` → value. */
  readonly metrics: ReadonlyMap<string, number>;
  /** `chain epoch` → counts of the test images of each class. */
  readonly perClass: ReadonlyMap<string, string>;
  /** stage → summary and records. */
  readonly evaluations: ReadonlyMap<string, string>;
};

export const networksOf = ({ networks }: CheckpointManifest): string =>
  canonicalJson(Object.fromEntries(Object.entries(networks).map(([name, { blob }]) => [name, blob])));

/** The results of a simulated sweep, computed in one loop over its plan, without database, queue or processes. */
export const expectedOf = async (sweep: SweepInput): Promise<Results> => {
  const { stages } = buildPlan(outlineSweep(SweepDefinition.parse(sweep), engineVersion), new Map());
  const trainer = createSimulatedTrainer({ stepMilliseconds: 0 });
  const networks = new Map<string, string>();
  const metrics = new Map<string, number>();
  const perClass = new Map<string, string>();
  const evaluations = new Map<string, string>();
  const results = new Map<string, CheckpointManifest>();
  const blobs = new Map<string, Uint8Array>();

  const run = async (stage: PlannedStage): Promise<void> => {
    // A stage continues its own chain, or starts from its parent.
    const from = stage.startEpoch > 0 ? stage.dependsOn : stage.parent;
    const manifest = from === null ? null : results.get(from)!;
    const start = manifest && { manifest, blobs, sameChain: stage.startEpoch > 0 };
    const end = await trainer.run(
      {
        spec: stage,
        start,
        surrogates: stage.surrogates.map((id) => ({ manifest: results.get(id)!, blobs })),
      },
      {
        signal: new AbortController().signal,
        onProgress: () => {},
        onCheckpoint: async (checkpoint, values, counts) => {
          for (const [hash, bytes] of checkpoint.blobs) blobs.set(hash, bytes);
          const { epoch } = checkpoint.manifest.position;
          networks.set(`${stage.chain} ${epoch}`, networksOf(checkpoint.manifest));
          for (const [name, value] of Object.entries(values ?? {}))
            metrics.set(`${stage.chain} ${epoch} ${name}`, value!);
          if (counts) perClass.set(`${stage.chain} ${epoch}`, canonicalJson(counts));
          results.set(stage.id, checkpoint.manifest);
        },
      },
    );
    if (end.status !== 'completed')
      throw new Error(`Expected stage ${stage.id} to complete without faults, but it ended as ${end.status}`);
    if (end.evaluation)
      evaluations.set(
        stage.id,
        canonicalJson({ summary: end.evaluation.summary, success: end.evaluation.records.success }),
      );
  };
  for (const stage of stages) await run(stage);
  return { networks, metrics, perClass, evaluations };
};
