import { defaultHyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { unpackTensors } from '../../src/checkpoint.ts';
import { glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages } from '../../src/datasets/split.ts';
import { encoder, generator } from '../../src/models/auto-encoders.ts';
import { createNetwork, initialWeights, type Network } from '../../src/models/network.ts';
import { normalisationEpsilon, normalise, whileDescending } from '../../src/models/normalisation.ts';
import { createRandom, uniformNoise } from '../../src/random.ts';
import { createAdam, descend } from '../../src/training/stage.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

const shape = [3, 2, 2, 2];
const drawn = (name: string, count: number) => uniformNoise(createRandom(name), count);
const x = () => tf.tensor(drawn('x', 24), shape);
const weights = () =>
  ([[1.5, -0.5], [0.25, 1], [0.1, -0.2], [0.5, 2]] as const).map((values) => tf.variable(tf.tensor1d([...values]))); // biome-ignore format: pairs

/** The values of one channel, and their mean and biased variance. */
const channel = (values: ArrayLike<number>, c: number) => {
  const own = Array.from(values).filter((_, i) => i % 2 === c);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  return { own, mean, variance: own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length };
};

describe.each(['cpu', 'wasm'] as const)('a normalisation on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('takes the statistics of the batch while its weights are trained, and the running ones follow', () => {
    const own = weights();
    const y = whileDescending(own.slice(0, 2), () => normalise(x(), own)).dataSync();
    for (const c of [0, 1]) {
      const given = channel(x().dataSync(), c);
      const [gamma, beta] = [[1.5, -0.5][c]!, [0.25, 1][c]!];
      for (const [i, value] of channel(y, c).own.entries())
        expect(value).toBeCloseTo(
          (gamma * (given.own[i]! - given.mean)) / Math.sqrt(given.variance + normalisationEpsilon) + beta,
          5,
        );
      expect(own[2]!.dataSync()[c]).toBeCloseTo(0.9 * [0.1, -0.2][c]! + 0.1 * given.mean, 6);
      expect(own[3]!.dataSync()[c]).toBeCloseTo(0.9 * [0.5, 2][c]! + 0.1 * given.variance, 6);
    }
  });

  it('takes the running statistics at any other time, and leaves them as they are', () => {
    const own = weights();
    const before = own.map((weight) => weight.dataSync().slice());
    const y = whileDescending(weights(), () => normalise(x(), own)).dataSync(); // others are trained
    for (const c of [0, 1])
      for (const [i, value] of channel(y, c).own.entries()) {
        const normal =
          (channel(x().dataSync(), c).own[i]! - [0.1, -0.2][c]!) / Math.sqrt([0.5, 2][c]! + 1e-5);
        expect(value).toBeCloseTo([1.5, -0.5][c]! * normal + [0.25, 1][c]!, 5);
      }
    expect(own.map((weight) => weight.dataSync())).toEqual(before);
  });

  it.each([true, false])('has the gradients of finite differences (trained: %s)', (isTrained) => {
    const own = weights();
    const factors = tf.tensor(drawn('factors', 24), shape);
    const loss = (input: tf.Tensor, gamma: tf.Variable, beta: tf.Variable): tf.Scalar => {
      const all = [gamma, beta, own[2]!, own[3]!];
      const forward = () => tf.sum<tf.Scalar>(tf.mul(normalise(input, all), factors));
      return isTrained ? whileDescending(all, forward) : forward();
    };
    const [gamma, beta] = own as [tf.Variable, tf.Variable];
    const toInput = tf
      .grad((input) => loss(input, gamma, beta))(x())
      .dataSync();
    const running = own.slice(2).map((weight) => weight.clone());
    const restored = <T>(compute: () => T): T => {
      for (const [i, weight] of own.slice(2).entries()) weight.assign(running[i]!.clone());
      return compute();
    };
    const { grads } = tf.variableGrads(() => restored(() => loss(x(), gamma, beta)), [gamma, beta]);
    const slopeOf = (values: Float32Array, i: number, at: (moved: Float32Array) => number): number => {
      const moved = (by: number) => values.map((value, k) => (k === i ? value + by : value));
      return (at(moved(0.01)) - at(moved(-0.01))) / 0.02;
    };
    const images = x().dataSync<'float32'>();
    for (let i = 0; i < 24; i++) {
      const at = (moved: Float32Array) =>
        restored(() => loss(tf.tensor(moved, shape), gamma, beta).dataSync()[0]!);
      expect(toInput[i]).toBeCloseTo(slopeOf(images, i, at), 2);
    }
    for (const [which, weight] of [gamma, beta].entries())
      for (const c of [0, 1]) {
        const at = (moved: Float32Array) => {
          const replaced = [gamma, beta].map((each, k) =>
            k === which ? tf.variable(tf.tensor1d(moved)) : each,
          );
          return restored(() => loss(x(), replaced[0]!, replaced[1]!).dataSync()[0]!);
        };
        expect(grads[weight.name]!.dataSync()[c]).toBeCloseTo(
          slopeOf(weight.dataSync<'float32'>(), c, at),
          2,
        );
      }
  });

  it('does not move in a part that a step leaves frozen, to the bit', () => {
    const sizes = { ...defaultHyperparameters, filters: '2-3', latent: 4, normalisation: 'batch' as const };
    const make = (name: string, architecture: ReturnType<typeof encoder>): Network =>
      createNetwork(architecture, initialWeights(architecture, 'glorotUniform', createRandom(name)));
    const frozen = make('frozen', encoder([28, 28, 1], sizes));
    const trained = make('trained', generator([28, 28, 1], sizes));
    const bits = ({ weights: own }: Network) => own.map((weight) => weight.dataSync().slice());
    const [before, moving] = [bits(frozen), bits(trained)];
    const adam = createAdam(trained.trained, 0.01);
    const split = glyphs('train', 4);
    tf.tidy(() => {
      const images = tf.tensor(gatherImages(split, [0, 1, 2, 3]), [4, 28, 28, 1]);
      descend([adam], 1, () => ({
        loss: tf.mean<tf.Scalar>(tf.square(tf.sub(trained.apply(frozen.apply(images)), images))),
      }));
    });
    expect(bits(frozen)).toEqual(before);
    const names = trained.weights.map((_, i) =>
      bits(trained)[i]!.some((value, k) => value !== moving[i]![k]),
    );
    expect(names.every(Boolean)).toBe(true); // every weight moved, also the running statistics
    for (const one of [frozen, trained, adam]) one.dispose();
  });
});

/** The weights of a stored network, [weight][value]. */
const stored = ({ last: { manifest, blobs } }: Ran, name: string): readonly Float32Array[] => {
  const network = manifest.networks[name]!;
  return unpackTensors(blobs.get(network.blob)!, network.weights);
};

it('a frozen encoder in a classifier has the bits with which its stage ended', async () => {
  await openBackend('wasm');
  const given = { normalisation: 'batch', activation: 'elu' } as const;
  const initialise = await run(specOf('funn', 'initialise', 2, given));
  const optimise = await run(specOf('funn', 'optimise', 2, given), onto(initialise));
  const classify = await run(specOf('funn', 'classify', 2, given), onto(optimise));
  for (const ran of [initialise, optimise, classify]) expect(ran.outcome).toEqual({ status: 'completed' });
  const encoderWeights = stored(optimise, 'defender-encoder');
  expect(stored(classify, 'classifier').slice(0, encoderWeights.length)).toEqual(encoderWeights);
  // Optimise trains the encoder of the defender, whose running statistics move with it.
  const moved = stored(initialise, 'defender-encoder').map((values, i) =>
    values.some((value, k) => value !== encoderWeights[i]![k]),
  );
  expect(moved.every(Boolean)).toBe(true);
  for (const name of ['attacker-encoder', 'defender-generator'])
    expect(stored(optimise, name)).toEqual(stored(initialise, name));
});
