import { CheckpointManifest, type Recipe, recipes, trainingMetrics } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { packTensors, unpackTensors } from '../src/checkpoint.ts';
import type { StageStart } from '../src/stage.ts';
import { continuing, onto, type Ran, run, specOf } from './stages.ts';

/** funn, stage by stage, each from the end of the one before. */
const line = async (epochs = { initialise: 2, optimise: 2, classify: 2 }) => {
  const initialise = await run(specOf('funn', 'initialise', epochs.initialise));
  const optimise = await run(specOf('funn', 'optimise', epochs.optimise), onto(initialise));
  const classify = await run(specOf('funn', 'classify', epochs.classify), onto(optimise));
  return { initialise, optimise, classify };
};

/** A checkpoint with one network's or the moments' numbers changed. */
const tampered = (
  { manifest, blobs }: Ran['last'],
  where: string,
  change: (name: string, values: Float32Array) => void,
): StageStart => {
  const stored = where === 'moments' ? manifest.moments! : manifest.networks[where]!;
  const specs = 'tensors' in stored ? stored.tensors : stored.weights;
  const tensors = unpackTensors(blobs.get(stored.blob)!, specs);
  for (const [i, values] of tensors.entries()) change(specs[i]!.name, values);
  const { blob, bytes } = packTensors(tensors);
  const changed =
    where === 'moments'
      ? { moments: { ...manifest.moments!, blob } }
      : { networks: { ...manifest.networks, [where]: { ...manifest.networks[where]!, blob } } };
  return {
    manifest: { ...manifest, ...changed },
    blobs: new Map([...blobs, [blob, bytes]]),
    sameChain: true,
  };
};

describe.each(['cpu', 'wasm'] as const)('a stage on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('gives the same bits when it is run again', async () => {
    const [first, second] = [await line(), await line()];
    for (const kind of ['initialise', 'optimise', 'classify'] as const) {
      expect(first[kind].outcome).toEqual({ status: 'completed' });
      expect(second[kind].hashes).toEqual(first[kind].hashes);
      expect(new Set(first[kind].hashes).size).toBe(2);
    }
  });

  it('gives the same bits when it is interrupted anywhere', async () => {
    const whole = await line();
    const parents = { initialise: null, optimise: onto(whole.initialise), classify: onto(whole.optimise) };
    for (const kind of ['initialise', 'optimise', 'classify'] as const) {
      const spec = specOf('funn', kind, 2);
      const watched = await run(spec, parents[kind], { checkpointSeconds: 0 }); // a checkpoint before every step
      expect(watched.hashes.at(-1)).toBe(whole[kind].hashes.at(-1));
      const positions = watched.checkpoints.map(
        ({ manifest: { position } }) => `${position.epoch}.${position.step}`,
      );
      expect(positions).toEqual(['0.1', '0.2', '1.0', '1.1', '1.2', '2.0']);
      const blobs = new Map([...(parents[kind]?.blobs ?? []), ...watched.last.blobs]);
      for (const { manifest } of [
        watched.checkpoints[1]!,
        watched.checkpoints[2]!,
        watched.checkpoints[3]!,
      ]) {
        const resumed = await run(spec, { manifest, blobs, sameChain: true });
        expect(resumed.hashes.at(-1)).toBe(whole[kind].hashes.at(-1));
        expect(resumed.metrics.at(-1)).toEqual(whole[kind].metrics.at(-1));
      }
    }
  });

  it('passes through the checkpoints of a shorter one', async () => {
    const [short, long] = [
      await line({ initialise: 1, optimise: 1, classify: 1 }),
      await line({ initialise: 1, optimise: 3, classify: 1 }),
    ];
    expect(long.optimise.hashes[0]).toBe(short.optimise.hashes[0]);
    const further = await run(specOf('funn', 'optimise', 3), continuing(short.optimise));
    expect(further.hashes).toEqual(long.optimise.hashes.slice(1));
  });

  it('leaves no tensor behind, however it ends', async () => {
    const before = tf.memory();
    const { initialise } = await line();
    const stop = new AbortController();
    await run(specOf('funn', 'optimise', 2), onto(initialise), {
      signal: stop.signal,
      checkpointSeconds: 0,
      during: () => stop.abort(),
    });
    await expect(run(specOf('funn', 'optimise', 2))).rejects.toThrow('attacker-encoder');
    const { numTensors, numDataBuffers } = tf.memory();
    expect({ numTensors, numDataBuffers }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });
});

describe('a stage', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('hands over after every epoch what its recipe declares, in the form that contracts declare', async () => {
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

  it('hands over each blob that is new and none that it started with', async () => {
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

  it('keeps what is frozen by the blob that it had', async () => {
    const { initialise, optimise, classify } = await line();
    const blob = (ran: Ran, name: string) => ran.last.manifest.networks[name]?.blob;
    for (const name of ['attacker-encoder', 'defender-generator'])
      expect(blob(optimise, name)).toBe(blob(initialise, name));
    for (const name of ['attacker-generator', 'defender-encoder'])
      expect(blob(optimise, name)).not.toBe(blob(initialise, name));
    expect(blob(classify, 'defender-encoder')).toBe(blob(optimise, 'defender-encoder'));
  });

  it('stops at the end of a step when it is told to, with a checkpoint to go on from', async () => {
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

  it('hands over nothing twice, and nothing where nothing was done', async () => {
    const spec = specOf('classic', 'initialise', 1);
    const whole = await run(spec);
    const again = await run(spec, continuing(whole));
    expect(again.outcome).toEqual({ status: 'completed' });
    expect(again.checkpoints).toEqual([]);
    const stopped = await run(spec, continuing(whole), { signal: AbortSignal.abort() });
    expect(stopped.checkpoints).toEqual([]);
  });

  it('trains alike in what two trials share: γ and β change nothing before they bite, other seeds everything', async () => {
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

  it('feeds the defender the attacked or the clean image, as its knob says', async () => {
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

  it.each(['mse', 'half-mse', 'norm'] as const)('takes the loss scale %s', async (lossScale) => {
    const { outcome } = await run(specOf('funn', 'initialise', 1, { lossScale }));
    expect(outcome).toEqual({ status: 'completed' });
  });

  it.each([{ latent: 0 }, { filters: '2-3-4' }, { noise: 0 }, { batchSize: 64 }, { latent: 0, noise: 0 }])(
    'takes %o',
    async (knobs) => {
      const initialise = await run(specOf('funn', 'initialise', 1, knobs));
      const optimise = await run(specOf('funn', 'optimise', 1, knobs), onto(initialise));
      const classify = await run(specOf('funn', 'classify', 1, knobs), onto(optimise));
      expect([initialise, optimise, classify].map(({ outcome }) => outcome.status)).toEqual([
        'completed',
        'completed',
        'completed',
      ]);
    },
  );
});

describe('what a stage refuses and notices', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('a loss that is not finite', async () => {
    const { initialise } = await line({ initialise: 1, optimise: 1, classify: 1 });
    const start = tampered(initialise.last, 'attacker-generator', (name, values) => {
      if (name === 'deconv2/bias') values.fill(Number.NaN);
    });
    const { outcome } = await run(specOf('funn', 'initialise', 2), start);
    expect(outcome).toMatchObject({
      status: 'diverged',
      message: expect.stringMatching(/finite attackerLoss, but it was NaN in epoch 2, step 1 of 3/) as string,
    });
  });

  it('a weight that is not finite after the last step', async () => {
    const spec = specOf('classic', 'initialise', 2, { batchSize: 64 });
    const first = await run(specOf('classic', 'initialise', 1, { batchSize: 64 }));
    const start = tampered(first.last, 'moments', (_, values) => values.fill(Number.NaN));
    const { outcome, checkpoints } = await run(spec, start);
    expect(outcome).toMatchObject({
      status: 'diverged',
      message: expect.stringContaining('weight') as string,
    });
    expect(checkpoints).toEqual([]);
  });

  it('an auto-encoder that ignores its input, at its own end and where another stage would stand on it', async () => {
    const first = await run(specOf('classic', 'initialise', 1));
    const dead = tampered(first.last, 'defender-generator', (name, values) => {
      if (name === 'expand/bias') values.fill(-1000);
    });
    const ended = await run(specOf('classic', 'initialise', 2), dead);
    expect(ended.outcome).toMatchObject({
      status: 'collapsed',
      message: expect.stringMatching(/defender ignores its input: over 40 images .* times as much/) as string,
    });
    expect(ended.checkpoints.length).toBe(1);
    const below = await run(
      specOf('classic', 'classify', 1),
      onto({ last: { manifest: dead.manifest, blobs: dead.blobs } }),
    );
    expect(below.outcome.status).toBe('collapsed');
    expect(below.checkpoints).toEqual([]);
  });

  it('a start that lacks what the stage needs', async () => {
    await expect(run(specOf('funn', 'classify', 1))).rejects.toThrow(
      /start from a checkpoint with defender-encoder/,
    );
    const { last } = await run(specOf('classic', 'initialise', 1));
    await expect(
      run(specOf('classic', 'initialise', 2), {
        ...last,
        manifest: { ...last.manifest, moments: null },
        sameChain: true,
      }),
    ).rejects.toThrow(/moments/);
    await expect(
      run(specOf('classic', 'classify', 1), { ...last, blobs: new Map(), sameChain: false }),
    ).rejects.toThrow(/Expected the blob [0-9a-f]{64} of defender-encoder/);
  });

  it('knobs that it does not declare, that are missing, or out of range', async () => {
    const spec = specOf('classic', 'classify', 1);
    const { batchSize: _, ...without } = spec.hyperparameters;
    for (const [hyperparameters, message] of [
      [{ ...spec.hyperparameters, gamma: 5 }, /gamma/],
      [without, /batchSize/],
      [{ ...spec.hyperparameters, classifierUnits: 0 }, /classifierUnits/],
    ] as const)
      await expect(run({ ...spec, hyperparameters })).rejects.toThrow(message);
  });

  it('a kind that the recipe does not have', async () => {
    await expect(run({ ...specOf('classic', 'classify', 1), kind: 'optimise' })).rejects.toThrow(
      /classic \(initialise, classify\), but got optimise/,
    );
  });
});
