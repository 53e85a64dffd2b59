import { CheckpointManifest, type Recipe, recipes, trainingMetrics } from '@funnel/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { continuing, line, onto, type Ran, run, specOf } from './stages.ts';

describe('a stage', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('hands over, after every epoch, a valid checkpoint and the metrics that its recipe declares', async () => {
    const ran = await line();
    const stages: Recipe['stages'] = recipes.funn.stages;
    for (const { kind, records } of stages) {
      for (const [i, { manifest }] of ran[kind].checkpoints.entries()) {
        expect(CheckpointManifest.parse(manifest)).toEqual(manifest);
        expect(manifest.position).toEqual({ epoch: i + 1, step: 0 });
        const metrics = ran[kind].metrics[i]!;
        expect(Object.keys(metrics).sort()).toEqual([...records].sort());
        for (const name of records) expect(trainingMetrics).toHaveProperty(name);
        for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
      }
    }
  });

  it('hands over every new blob and none that it started with', async () => {
    const { initialise, optimise, classify } = await line();
    const named = ({ manifest }: Ran['last']) => [
      ...Object.values(manifest.networks).map(({ blob }) => blob),
      manifest.moments!.blob,
    ];
    for (const [parent, ran] of [
      [null, initialise],
      [initialise, optimise],
      [optimise, classify],
    ] as const) {
      const had = new Set(parent?.last.blobs.keys());
      for (const { manifest, blobs } of ran.checkpoints)
        expect(new Set(blobs.keys())).toEqual(
          new Set(named({ manifest, blobs }).filter((hash) => !had.has(hash))),
        );
    }
  });

  it('keeps the blobs of frozen networks', async () => {
    const { initialise, optimise, classify } = await line();
    const blob = (ran: Ran, name: string) => ran.last.manifest.networks[name]?.blob;
    for (const name of ['attacker-encoder', 'defender-generator'])
      expect(blob(optimise, name)).toBe(blob(initialise, name));
    for (const name of ['attacker-generator', 'defender-encoder'])
      expect(blob(optimise, name)).not.toBe(blob(initialise, name));
    expect(blob(classify, 'defender-encoder')).toBe(blob(optimise, 'defender-encoder'));
  });

  it('stops after the current step when it is aborted, with a checkpoint from which it can continue', async () => {
    const spec = specOf('classic', 'initialise', 2);
    const whole = await run(spec);
    const stop = new AbortController();
    const stopped = await run(spec, null, {
      signal: stop.signal,
      checkpointSeconds: 0,
      during: ({ manifest }) => {
        if (manifest.position.epoch === 1) stop.abort();
      },
    });
    expect(stopped.outcome).toEqual({ status: 'stopped' });
    expect(stopped.last.manifest.position).toEqual({ epoch: 1, step: 0 });
    const resumed = await run(spec, continuing(stopped));
    expect(resumed.hashes.at(-1)).toBe(whole.hashes.at(-1));
  });

  it('hands over no checkpoint twice, and none when it did no step', async () => {
    const spec = specOf('classic', 'initialise', 1);
    const whole = await run(spec);
    const again = await run(spec, continuing(whole));
    expect(again.outcome).toEqual({ status: 'completed' });
    expect(again.checkpoints).toEqual([]);
    const stopped = await run(spec, continuing(whole), { signal: AbortSignal.abort() });
    expect(stopped.checkpoints).toEqual([]);
  });

  it('gives the same bits for another γ while the hinge is not active, and other bits for another seed', async () => {
    const { initialise } = await line();
    const optimised = (beta: number, gamma: number) =>
      run(specOf('funn', 'optimise', 2, { beta, gamma }), onto(initialise));
    const [never, neither, always] = [await optimised(0, 5), await optimised(0, 50), await optimised(1, 5)];
    expect(neither.hashes).toEqual(never.hashes);
    expect(never.metrics.map((metrics) => metrics!.hingeActive)).toEqual([0, 0]);
    expect(always.metrics.map((metrics) => metrics!.hingeActive)).toEqual([1, 1]);
    expect(always.hashes).not.toEqual(never.hashes);
    const other = await run(specOf('funn', 'initialise', 2, {}, { seed: 8 }));
    expect(other.hashes).not.toEqual(initialise.hashes);
  });

  it('gives the defender attacked or clean images, as the hyperparameter defenderInput says', async () => {
    const [attacked, clean] = [
      await run(specOf('funn', 'initialise', 2)),
      await run(specOf('funn', 'initialise', 2, { defenderInput: 'clean' })),
    ];
    const classic = await run(specOf('classic', 'initialise', 2));
    const defender = (ran: Ran) => ran.last.manifest.networks['defender-encoder']!.blob;
    expect(defender(clean)).toBe(defender(classic)); // from the same weights, with the same batches and rate
    expect(defender(attacked)).not.toBe(defender(clean));
    expect(attacked.last.manifest.networks['attacker-encoder']).toEqual(
      clean.last.manifest.networks['attacker-encoder'],
    );
  });

  it('learns', async () => {
    const sizes = {
      filters: '8-16',
      latent: 24,
      batchSize: 32,
      initialiseDefenderRate: 3e-3,
      classifierRate: 3e-3,
      classifierUnits: 32,
    };
    const over = { dataset: { name: 'glyphs', train: 400, test: 200, attack: 1 } } as const;
    const initialise = await run(specOf('classic', 'initialise', 8, sizes, over));
    const losses = initialise.metrics.map((metrics) => metrics!.defenderLoss!);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    const classify = await run(specOf('classic', 'classify', 12, sizes, over), onto(initialise));
    expect(classify.metrics.at(-1)!.cleanAccuracy).toBeGreaterThan(0.6);
    expect(classify.metrics.at(-1)!.trainAccuracy).toBeGreaterThan(classify.metrics[0]!.trainAccuracy!);
  });

  it.each(['mse', 'half-mse', 'norm'] as const)('trains with the loss scale %s', async (lossScale) => {
    const { outcome } = await run(specOf('funn', 'initialise', 1, { lossScale }));
    expect(outcome).toEqual({ status: 'completed' });
  });

  it.each([{ latent: 0 }, { filters: '2-3-4' }, { noise: 0 }, { batchSize: 64 }, { latent: 0, noise: 0 }])(
    'trains with %o',
    async (hyperparameters) => {
      const initialise = await run(specOf('funn', 'initialise', 1, hyperparameters));
      const optimise = await run(specOf('funn', 'optimise', 1, hyperparameters), onto(initialise));
      const classify = await run(specOf('funn', 'classify', 1, hyperparameters), onto(optimise));
      expect([initialise, optimise, classify].map(({ outcome }) => outcome.status)).toEqual([
        'completed',
        'completed',
        'completed',
      ]);
    },
  );
});
