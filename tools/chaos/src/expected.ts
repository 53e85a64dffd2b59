import {
  type CheckpointManifest,
  canonicalJson,
  type PlannedStage,
  SweepDefinition,
  type SweepInput,
} from '@funnel/contracts';
import { engineVersion } from '@funnel/engine';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { createSimulatedTrainer } from '@funnel/worker';

const steps = [1, 2, 3, 4, 5];
const optimiseEpochs = [2, 3, 4];
const most = steps.length * steps.length * optimiseEpochs.length;

/**
 * `trials` FUNN trials at least, two attacks each, one of them made on the networks of other trials: 5 γ × up to 5 β × epochs {2, 3, 4},
 * and as many seeds as it takes. 300 trials have 1,204 stages.
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
  seeds: Math.max(1, Math.ceil(trials / most)),
  attacks: ['fgsm', 'transfer-linf'],
});

/** Small enough to train for real in a minute or two, with every kind of sharing in it, and long enough for every kind of fault. */
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
 * Sweeps of one to eight trials that share stages with each other: the same chains to other epochs, the same networks under other attacks.
 * Classifiers of seed 1 are there to fail (see run-clients.ts).
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

/**
 * What a sweep must come to, worked out without database, queue or processes: the stand-in trainer run over the plan in one loop. Every
 * stage's networks by epoch, its metrics and its evaluation are compared with what the tables hold in the end.
 */

/** Results that do not depend on who computed them, how often and in which order. */
export type Results = {
  /** `chain epoch` → blobs of its networks. */
  readonly networks: ReadonlyMap<string, string>;
  /** `chain epoch name` → value. */
  readonly metrics: ReadonlyMap<string, number>;
  /** stage → its summary and records. */
  readonly evaluations: ReadonlyMap<string, string>;
};

export const networksOf = ({ networks }: CheckpointManifest): string =>
  canonicalJson(Object.fromEntries(Object.entries(networks).map(([name, { blob }]) => [name, blob])));

export const expectedOf = async (sweep: SweepInput): Promise<Results> => {
  const { stages } = buildPlan(outlineSweep(SweepDefinition.parse(sweep), engineVersion), new Map());
  const trainer = createSimulatedTrainer({ stepMilliseconds: 0 });
  const networks = new Map<string, string>();
  const metrics = new Map<string, number>();
  const evaluations = new Map<string, string>();
  const results = new Map<string, CheckpointManifest>();
  const blobs = new Map<string, Uint8Array>();

  const run = async (stage: PlannedStage): Promise<void> => {
    // From its own chain where it continues, else from its parent.
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
        onCheckpoint: async (checkpoint, values) => {
          for (const [hash, bytes] of checkpoint.blobs) blobs.set(hash, bytes);
          const { epoch } = checkpoint.manifest.position;
          networks.set(`${stage.chain} ${epoch}`, networksOf(checkpoint.manifest));
          for (const [name, value] of Object.entries(values ?? {}))
            metrics.set(`${stage.chain} ${epoch} ${name}`, value!);
          results.set(stage.id, checkpoint.manifest);
        },
      },
    );
    if (end.status !== 'completed')
      throw new Error(`Expected stage ${stage.id} to complete without faults, but it ${end.status}`);
    if (end.evaluation)
      evaluations.set(
        stage.id,
        canonicalJson({ summary: end.evaluation.summary, success: end.evaluation.records.success }),
      );
  };
  for (const stage of stages) await run(stage);
  return { networks, metrics, evaluations };
};
