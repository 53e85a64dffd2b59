/** What each attack counts as `queries`, beside the passes that the model and the encoder saw. The file of each attack says the same. */
import { type AttackName, attackNames } from '@funnel/contracts';
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
  const queries = records.queries.reduce((sum, count) => sum + count);
  const expected =
    exceptions[name] === undefined ? ({ plain, gradient }: Seen) => plain + gradient : exceptions[name];
  if (expected) expect(queries).toBe(expected(seen));
  else {
    expect(queries).toBeGreaterThan(images);
    expect(queries).toBeLessThanOrEqual(seen.plain + seen.gradient);
  }
});
