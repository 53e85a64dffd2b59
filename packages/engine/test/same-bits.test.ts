import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { continuing, line, onto, run, specOf } from './stages.ts';

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

  it('gives the same bits when it is interrupted at any step', async () => {
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

  it('has, at the same epochs, the checkpoints of a shorter run of its chain', async () => {
    const [short, long] = [
      await line({ initialise: 1, optimise: 1, classify: 1 }),
      await line({ initialise: 1, optimise: 3, classify: 1 }),
    ];
    expect(long.optimise.hashes[0]).toBe(short.optimise.hashes[0]);
    const further = await run(specOf('funn', 'optimise', 3), continuing(short.optimise));
    expect(further.hashes).toEqual(long.optimise.hashes.slice(1));
  });

  it('leaves no tensor behind, whether it completes, stops or throws', async () => {
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
