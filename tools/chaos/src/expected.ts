/**
 * What a sweep must come to, worked out without database, queue or processes: the stand-in trainer run over the plan in one loop. Every
 * stage's networks by epoch, its metrics and its evaluation are compared with what the tables hold in the end.
 */
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
