import { defaultHyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages } from '../../src/datasets/split.ts';
import { distances } from '../../src/distances/registry.ts';
import { encoder, generator, withNoise } from '../../src/models/auto-encoders.ts';
import { createNetwork, initialWeights, type Network } from '../../src/models/network.ts';
import { createRandom, uniformNoise } from '../../src/random.ts';
import { optimise } from '../../src/recipes/funn.ts';
import type { Adam, Batch, Setup } from '../../src/training/stage.ts';

type OptimiseHyperparameters = Parameters<typeof optimise>[0]['hyperparameters'];

const hyperparameters: OptimiseHyperparameters = {
  batchSize: 6,
  lossScale: 'mse',
  optimiseAttackerRate: 1e-3,
  optimiseDefenderRate: 1e-3,
  gamma: 5,
  beta: 0.01,
  betaUnit: 'loss',
  penalty: 'constraint',
  hinge: 'batch',
  augmentFlip: 'none',
  augmentShift: 0,
  augmentCrop: 0,
};

const split = glyphs('train', 6);
const image = [28, 28, 1] as const;
const sizes = { ...defaultHyperparameters, filters: '3-4', latent: 5 };
const indices = Uint32Array.of(4, 0, 2, 5, 1, 3);
let networks: Record<string, Network>;

beforeAll(async () => {
  await openBackend('cpu');
  const make = (name: string, architecture: ReturnType<typeof encoder>) =>
    createNetwork(architecture, initialWeights(architecture, 'glorotUniform', createRandom(name)));
  networks = {
    'attacker-encoder': make('a', encoder(image, sizes)),
    'attacker-generator': make('b', generator(image, sizes, 2)),
    'defender-encoder': make('c', encoder(image, sizes)),
    'defender-generator': make('d', generator(image, sizes)),
  };
});
afterAll(() => {
  for (const network of Object.values(networks)) network.dispose();
});

const x = () => tf.tensor(gatherImages(split, indices), [6, ...image]);
const u = () => tf.tensor2d(uniformNoise(createRandom('u'), 12), [6, 2]);
const batch: Batch = { indices, images: x, noise: u, normal: u, update: 1 };

/** One step of the recipe with optimisers that record their gradients and change nothing, and the metrics of the step. */
const stepWith = async (changes: Partial<OptimiseHyperparameters>) => {
  const seen: Record<string, Float32Array[]> = {};
  const optimiser = (name: string, of: readonly Network[]): Adam => ({
    weights: of.flatMap(({ weights }) => weights),
    moments: [],
    update: (gradients) => {
      seen[name] = gradients.map((gradient) => Float32Array.from(gradient.dataSync()));
    },
    dispose: () => {},
  });
  const setup: Setup<OptimiseHyperparameters> = {
    hyperparameters: { ...hyperparameters, ...changes },
    start: {
      manifest: {
        position: { epoch: 1, step: 0 },
        networks: {},
        moments: null,
        scalars: { defenderFloor: 0.02 },
      },
      blobs: new Map(),
      sameChain: false,
    },
    image,
    classes: 10,
    train: split,
    test: async () => split,
    signal: new AbortController().signal,
    outputsOf: async (network) => (batch) => network.apply(batch.images()),
    network: (name) => networks[name]!,
    frozen: () => ({}),
    optimiser,
  };
  const training = await optimise(setup);
  const measured = tf.tidy(() => {
    const scalars = training.step(batch) as Record<string, tf.Tensor>;
    return Object.fromEntries(Object.entries(scalars).map(([name, tensor]) => [name, tensor.dataSync()[0]!]));
  });
  return { attacker: seen.attacker!, defender: seen.defender!, measured };
};

/** Att(x), and per image L(Att(x), x) and L(x, Def(Att(x))). */
const forward = (lossScale: OptimiseHyperparameters['lossScale']) => {
  const [E_a, G_a, E_d, G_d] = [
    'attacker-encoder',
    'attacker-generator',
    'defender-encoder',
    'defender-generator',
  ].map((name) => networks[name]!);
  const attacked = G_a!.apply(withNoise(E_a!.apply(x()), u()));
  const rebuilt = G_d!.apply(E_d!.apply(attacked));
  return { attackerL: distances[lossScale](attacked, x()), defenderL: distances[lossScale](rebuilt, x()) };
};

/** The gradients of the paper's two objectives, each computed by itself. */
const separately = (k: OptimiseHyperparameters) => {
  const hinge = (loss: tf.Tensor) =>
    tf.relu(k.penalty === 'constraint' ? tf.sub(k.beta, loss) : tf.sub(loss, k.beta));
  const attackerObjective = (): tf.Scalar => {
    const { attackerL, defenderL } = forward(k.lossScale);
    const hingeInput = k.hinge === 'batch' ? tf.mean(defenderL) : defenderL;
    return tf.add(tf.mean(attackerL), tf.mul(k.gamma, tf.mean(hinge(hingeInput))));
  };
  const defenderObjective = (): tf.Scalar => tf.mean(forward(k.lossScale).defenderL);
  const gradients = (objective: () => tf.Scalar, { weights }: Network) => {
    const { grads } = tf.variableGrads(objective, weights as tf.Variable[]);
    return weights.map((weight) => Float32Array.from(grads[weight.name]!.dataSync()));
  };
  return {
    attacker: gradients(attackerObjective, networks['attacker-generator']!),
    defender: gradients(defenderObjective, networks['defender-encoder']!),
  };
};

const closeTo = (ours: readonly Float32Array[], theirs: readonly Float32Array[]): void => {
  expect(ours.length).toBe(theirs.length);
  for (const [i, expected] of theirs.entries()) {
    const scale = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, j) => Math.abs(value - ours[i]![j]!)));
    expect(error).toBeLessThan(1e-5 * scale + 1e-12);
  }
};

/** A β between the losses of the images, so that the hinge is active for some of them only. */
const middleBeta = (lossScale: OptimiseHyperparameters['lossScale'] = 'mse'): number =>
  tf.tidy(() => {
    const losses = [...forward(lossScale).defenderL.dataSync()].sort((a, b) => a - b);
    return (losses[2]! + losses[3]!) / 2;
  });

const mean = (): number => tf.tidy(() => tf.mean(forward('mse').defenderL).dataSync()[0]!);

describe('the joint pass of optimise', () => {
  it.each([
    ['the hinge active', () => ({ beta: 2 * mean() }), 1],
    ['the hinge not active', () => ({ beta: 0.5 * mean() }), 0],
    ['the printed sign, active', () => ({ beta: 0.5 * mean(), penalty: 'printed' as const }), 1],
    ['the printed sign, not active', () => ({ beta: 2 * mean(), penalty: 'printed' as const }), 0],
    ['the hinge per image', () => ({ beta: middleBeta(), hinge: 'image' as const }), 1],
    [
      'the hinge per image, printed sign',
      () => ({ beta: middleBeta(), hinge: 'image' as const, penalty: 'printed' as const }),
      1,
    ],
    [
      'half the squared error',
      () => ({ beta: middleBeta('half-mse'), lossScale: 'half-mse' as const, hinge: 'image' as const }),
      1,
    ],
    [
      'the norm',
      () => ({ beta: middleBeta('norm'), lossScale: 'norm' as const, hinge: 'image' as const }),
      1,
    ],
  ])('gives both players the gradients of their own objectives: %s', async (_, changesOf, active) => {
    const changed = changesOf();
    const joint = await stepWith(changed);
    const separate = separately({ ...hyperparameters, ...changed });
    closeTo(joint.attacker, separate.attacker);
    closeTo(joint.defender, separate.defender);
    expect(joint.measured.hingeActive).toBe(active);
    // With an active hinge, the penalty changes the attacker's gradient.
    const plain = separately({ ...hyperparameters, ...changed, gamma: 0 });
    if (active === 1) expect(joint.attacker.at(-1)).not.toEqual(plain.attacker.at(-1));
  });

  it('makes the attacker a plain auto-encoder where γ is 0, to the bit', async () => {
    const { attacker } = await stepWith({ gamma: 0, beta: 2 * mean() });
    const { weights } = networks['attacker-generator']!;
    const { grads } = tf.variableGrads(
      () => tf.mean(forward('mse').attackerL) as tf.Scalar,
      weights as tf.Variable[],
    );
    for (const [i, weight] of weights.entries()) {
      // −0 and 0 differ as bits and not as numbers; Adam's step from either is the same.
      const plain = Float32Array.from(grads[weight.name]!.dataSync(), (value) => value + 0);
      expect(attacker[i]!.map((value) => value + 0)).toEqual(plain);
    }
  });

  it('takes β as a multiple of the defender’s floor where betaUnit is floor', async () => {
    const floor = 0.02; // the value in the manifest of the start
    const withBeta = (beta: number) => stepWith({ beta, betaUnit: 'floor' });
    expect((await withBeta((0.9 * mean()) / floor)).measured.hingeActive).toBe(0);
    expect((await withBeta((1.1 * mean()) / floor)).measured.hingeActive).toBe(1);
  });

  it('measures the losses that it descends', async () => {
    const { measured } = await stepWith({});
    expect(measured.defenderLoss).toBeCloseTo(mean(), 6);
    expect(measured.attackerLoss).toBeCloseTo(
      tf.tidy(() => tf.mean(forward('mse').attackerL).dataSync()[0]!),
      6,
    );
  });

  it('the gradient of the attacker’s objective agrees with finite differences', async () => {
    const changes = { beta: 2 * mean() };
    const { attacker } = await stepWith(changes);
    const { weights } = networks['attacker-generator']!;
    const objective = (): number => {
      const { attackerL, defenderL } = forward('mse');
      const average = (of: tf.Tensor) => of.dataSync<'float32'>().reduce((a, b) => a + b) / 6;
      return average(attackerL) + hyperparameters.gamma * Math.max(changes.beta - average(defenderL), 0);
    };
    const bias = weights.at(-1)!; // moves every pixel: the largest gradient, far from kinks
    const [slope, origin] = [attacker.at(-1)![0]!, bias.dataSync()[0]!];
    const at = (value: number): number => {
      bias.assign(tf.tensor1d([value]));
      return objective();
    };
    const measured = (at(origin + 1e-2) - at(origin - 1e-2)) / 2e-2;
    bias.assign(tf.tensor1d([origin]));
    expect(Math.abs(measured / slope - 1)).toBeLessThan(5e-3);
  });
});
