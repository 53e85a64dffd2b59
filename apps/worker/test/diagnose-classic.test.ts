/** The classifier of a plain auto-encoder, trained and attacked by the worker's code: it has no defence, and no check may flag it. */
import { engineVersion, SweepDefinition } from '@funnel/contracts';
import { outlineSweep } from '@funnel/planner';
import { expect, it } from 'vitest';
import type { StageStart } from '../src/messages.ts';
import { createStageRunner } from '../src/run-stage.ts';

const sweep = SweepDefinition.parse({
  name: 'plain',
  recipes: ['classic'],
  dataset: { name: 'glyphs', train: 1500, test: 60, attack: 60 },
  space: {
    filters: '8-16',
    latent: 32,
    batchSize: 32,
    initialiseDefenderRate: 2e-3,
    initialiseEpochs: 4,
    optimiseEpochs: 1,
    classifierEpochs: 10,
  },
  attacks: ['deepfool-l2'],
});

it('is fooled by DeepFool, and the checks find its gradients right', async () => {
  const { run } = await createStageRunner({ folders: {}, backend: 'wasm', simulation: null });
  let last = null as Omit<StageStart, 'sameChain'> | null; // assigned in a callback, which the compiler does not follow
  for (const spec of outlineSweep(sweep, engineVersion).stages) {
    const before = last;
    const ended = await run(
      { spec, start: before && { ...before, sameChain: false }, surrogates: [] },
      {
        signal: new AbortController().signal,
        onCheckpoint: async ({ manifest, blobs }) => {
          last = { manifest, blobs: new Map([...(last?.blobs ?? []), ...blobs]) };
        },
        onProgress: () => {},
      },
    );
    expect(ended).toMatchObject({ status: 'completed' });
    if (spec.kind !== 'attack' || ended.status !== 'completed') continue;
    const { summary, diagnostics } = ended.evaluation!;
    expect(summary.cleanAccuracy).toBeGreaterThan(0.6);
    expect(summary.successRate).toBeGreaterThan(0.9);
    expect(diagnostics.find(({ id }) => id === 'H13')).toMatchObject({ verdict: 'ok' });
    expect(diagnostics.filter(({ verdict }) => verdict === 'masked')).toEqual([]);
  }
}, 120_000);
