/** What each attack counts as `queries`, beside the passes that the model and the encoder saw. The file of each attack says the same. */
import {
  type AttackDeclaration,
  type AttackInput,
  type AttackName,
  attackNames,
  attackSpec,
  attacks,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type ClassifierModel, evaluateAttack } from '../src/index.ts';
import { shortAttacks } from './helpers/short-attacks.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

/** Images that passed through a function, in passes without and with a gradient. */
const createMeter = () => {
  const seen = { plain: 0, gradient: 0 };
  const count = ({ shape }: tf.Tensor): void => {
    seen[tf.engine().state.gradientDepth > 0 ? 'gradient' : 'plain'] += shape[0]!;
  };
  return { seen, count };
};

const images = 20;

type Seen = {
  /** Of the attacked model, without the two passes of the driver. */
  readonly plain: number;
  readonly gradient: number;
  /** Gradients of the encoder. */
  readonly encoder: number;
};

const withoutConfirmations = ({ gradient }: Seen): number => gradient;
const withFirstGradient = ({ plain }: Seen): number => plain + images;

/** Attacks that do not count every pass, and what they count. Null: images after a hit fill the passes, so no sum says it. */
const exceptions: { readonly [Name in AttackName]?: ((seen: Seen) => number) | null } = {
  'deepfool-l2': ({ plain }) => plain - images, // without the ranking of the classes
  'deepfool-linf': ({ plain }) => plain - images,
  fgsm: ({ gradient }) => gradient + images, // and the driver's pass
  gradient: null,
  'single-pixel': null,
  'iterative-gradient-sign': withFirstGradient,
  'iterative-gradient': withFirstGradient,
  bim: withFirstGradient,
  'bim-l2': withFirstGradient,
  'pgd-linf': withoutConfirmations,
  'pgd-l2': withoutConfirmations,
  'apgd-ce-linf': withoutConfirmations,
  'apgd-ce-l2': withoutConfirmations,
  'apgd-t-linf': withoutConfirmations,
  'apgd-t-l2': withoutConfirmations,
  'fab-t-linf': ({ plain, gradient }) => plain + gradient - images, // without the ranking of the targets
  'fab-t-l2': ({ plain, gradient }) => plain + gradient - images,
  'feature-linf': ({ gradient, encoder }) => gradient + encoder,
  'feature-l2': ({ gradient, encoder }) => gradient + encoder,
};

/** The largest number of queries of an image that the declaration of the attack gives. */
const declared = (input: AttackInput): number => {
  const { attack, settings } = attackSpec(input);
  const { queries }: AttackDeclaration = attacks[attack];
  return queries(settings);
};

it.each(attackNames)('%s', async (name) => {
  const network = tinyNetwork(1);
  const surrogate = tinyNetwork(2);
  const [model, encoder] = [createMeter(), createMeter()];
  const given = tinyImages(network.model, images);
  const counted: ClassifierModel = {
    ...network.model,
    logits: (x) => {
      model.count(x);
      return network.model.logits(x);
    },
  };
  const { records } = await evaluateAttack({
    model: counted,
    ...given,
    attack: shortAttacks[name],
    resources: {
      encoder: (x) => {
        encoder.count(x);
        return network.encoder(x);
      },
      surrogates: [surrogate.model],
    },
  });
  network.dispose();
  surrogate.dispose();
  const seen = {
    plain: model.seen.plain - 2 * images,
    gradient: model.seen.gradient,
    encoder: encoder.seen.gradient,
  };
  expect(Math.max(...records.queries)).toBeLessThanOrEqual(declared(shortAttacks[name]));
  const queries = records.queries.reduce((sum, count) => sum + count);
  const expected =
    exceptions[name] === undefined ? ({ plain, gradient }: Seen) => plain + gradient : exceptions[name];
  if (expected) expect(queries).toBe(expected(seen));
  else {
    expect(queries).toBeGreaterThan(images);
    expect(queries).toBeLessThanOrEqual(seen.plain + seen.gradient);
  }
});

/** No image falls to these, so every image takes the declared number of queries, or in a search at most this number. */
it.each<[AttackInput, 'equal' | 'at most']>([
  [{ attack: 'fgsm', search: false, epsilon: 1e-9 }, 'equal'],
  [{ attack: 'bim', search: false, epsilon: 1e-9 }, 'equal'],
  [{ attack: 'pgd-linf', epsilon: 1e-9, steps: 5, restarts: 2 }, 'equal'],
  [{ attack: 'apgd-ce-l2', epsilon: 1e-9, steps: 5, restarts: 2 }, 'equal'],
  [{ attack: 'apgd-t-l2', epsilon: 1e-9, steps: 5, targets: 2 }, 'equal'],
  [{ attack: 'fab-t-linf', steps: 5, targets: 2, restarts: 2 }, 'equal'],
  [{ attack: 'square-linf', epsilon: 1e-9, queries: 30 }, 'equal'],
  [{ attack: 'noise-l2', epsilon: 1e-9, draws: 30 }, 'equal'],
  [{ attack: 'feature-linf', epsilon: 1e-9, steps: 5, guides: 2 }, 'equal'],
  [{ attack: 'iterative-gradient', epsilons: [0.001, 0.002], steps: 3 }, 'equal'],
  [{ attack: 'fgsm', search: true, epsilons: 50 }, 'at most'],
  [{ attack: 'gradient', epsilons: [0.01, 0.5] }, 'at most'],
  [{ attack: 'bim', search: true, steps: 3 }, 'at most'],
  [{ attack: 'bim-l2', search: true, epsilon: 0.01, steps: 3 }, 'at most'],
  [{ attack: 'cw-l2', steps: 20, searchSteps: 3, confidence: 1e6 }, 'at most'],
])('%j: the declared number of queries is %s', async (attack, comparison) => {
  const network = tinyNetwork(1);
  const { records } = await evaluateAttack({
    model: network.model,
    ...tinyImages(network.model, images),
    attack,
    resources: { encoder: network.encoder },
  });
  network.dispose();
  const most = Math.max(...records.queries);
  if (comparison === 'equal') expect(most).toBe(declared(attack));
  else expect(most).toBeLessThanOrEqual(declared(attack));
});
