import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { line, onto, run, specOf, tampered } from './stages.ts';

describe('a stage', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('diverges where a loss is not finite', async () => {
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

  it('diverges where a weight is not finite after the last step', async () => {
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

  it('collapses where an auto-encoder ignores its input, one that it trained or one of its start', async () => {
    const first = await run(specOf('classic', 'initialise', 1));
    const dead = tampered(first.last, 'defender-generator', (name, values) => {
      if (name === 'expand/bias') values.fill(-1000);
    });
    const ended = await run(specOf('classic', 'initialise', 2), dead);
    expect(ended.outcome).toMatchObject({
      status: 'collapsed',
      message: expect.stringMatching(
        /defender ignores its input: over 20 images, .* times the variance of the images/,
      ) as string,
    });
    expect(ended.checkpoints.length).toBe(1);
    const dependent = await run(
      specOf('classic', 'classify', 1),
      onto({ last: { manifest: dead.manifest, blobs: dead.blobs } }),
    );
    expect(dependent.outcome.status).toBe('collapsed');
    expect(dependent.checkpoints).toEqual([]);
  });

  it('refuses a start that lacks a network, the moments or a blob', async () => {
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

  it('refuses hyperparameters that it does not declare, that are missing, or out of range', async () => {
    const spec = specOf('classic', 'classify', 1);
    const { batchSize: _, ...without } = spec.hyperparameters;
    for (const [hyperparameters, message] of [
      [{ ...spec.hyperparameters, gamma: 5 }, /gamma/],
      [without, /batchSize/],
      [{ ...spec.hyperparameters, classifierUnits: 0 }, /classifierUnits/],
    ] as const)
      await expect(run({ ...spec, hyperparameters })).rejects.toThrow(message);
  });

  it('refuses a kind that the recipe does not have', async () => {
    await expect(run({ ...specOf('classic', 'classify', 1), kind: 'optimise' })).rejects.toThrow(
      /classic \(initialise, classify\), but got optimise/,
    );
  });
});
