/** The attacks of the paper's Table 2 and its text, with the semantics of its tool, Foolbox 1.8. */
import { z } from 'zod';
import * as setting from './define-attack.ts';
import { type AttackDeclaration, defineAttack, normTitles } from './define-attack.ts';

const foolbox = 'Rauber et al. 2017, Foolbox 1.8';
const deepfool = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `DeepFool ${normTitles[norm]}`,
    description:
      'Steps onto the nearest linearised class boundary until the class changes; the first adversarial iterate is the result.',
    citation: `Moosavi-Dezfooli et al. 2016, DeepFool; semantics of ${foolbox}`,
    family: 'minimisation',
    norm,
    access: 'gradient',
    version: 1,
    settings: z.strictObject({
      steps: setting.steps(50, 'Linearisations at most; the paper uses 50, 200 and 1000.'),
      overshoot: z
        .number()
        .min(0)
        .max(10)
        .default(0.05)
        .meta({ title: 'Overshoot', description: 'Every step goes this share beyond the boundary.' }),
      classes: z.int().min(2).max(10_000).default(10).meta({
        title: 'Classes',
        description: 'Only the most likely classes of the clean image are candidates.',
      }),
    }),
  });

const bim = (norm: 'l2' | 'linf', defaults: { readonly epsilon: number; readonly stepSize: number }) =>
  defineAttack({
    title: `Basic Iterative Method ${normTitles[norm]}`,
    description: 'Gradient steps projected on the ball, stopping at the first hit.',
    citation: `Kurakin et al. 2017, Adversarial examples in the physical world; semantics of ${foolbox}`,
    family: 'fixed',
    norm,
    access: 'gradient',
    version: 1,
    settings: z.strictObject({
      search: setting.search(
        true,
        'Grow ε by 1.5 until the image falls, then bisect 20 times, step size in proportion. False: exactly ε.',
      ),
      epsilon: setting.epsilon(
        defaults.epsilon,
        `Radius of the ${normTitles[norm]} ball; where a search begins.`,
      ),
      stepSize: setting.stepSize(defaults.stepSize, 'Length of a step at ε; null is ε / 6.'),
      steps: setting.steps(10),
    }),
  });

const iterativeGradient = (sign: boolean) =>
  defineAttack({
    title: sign ? 'Iterative Gradient Sign' : 'Iterative Gradient',
    description: `Unprojected ${sign ? 'sign' : 'gradient'} steps from the image, for every step size of a grid; the nearest hit over all iterates is kept.`,
    citation: foolbox,
    family: 'minimisation',
    norm: sign ? 'linf' : 'l2',
    access: 'gradient',
    version: 1,
    settings: z.strictObject({
      epsilon: setting.epsilon(1, 'Largest total: step sizes go up to ε / steps.'),
      epsilons: setting.epsilons(100),
      steps: setting.steps(10),
    }),
  });

export const paperAttacks = {
  'deepfool-l2': deepfool('l2'),
  'deepfool-linf': deepfool('linf'),
  fgsm: defineAttack({
    title: 'FGSM',
    description:
      'One step along the sign of the gradient: at a fixed ε, or at the smallest ε of a grid that fools the model.',
    citation: `Goodfellow et al. 2015, Explaining and harnessing adversarial examples; semantics of ${foolbox}`,
    family: 'fixed',
    norm: 'linf',
    access: 'gradient',
    version: 1,
    settings: z.strictObject({
      search: setting.search(
        true,
        'Try the grid and keep the smallest ε that fools. False: exactly ε, one forward pass.',
      ),
      epsilon: setting.epsilon(1, 'The size of the step (L∞), or with search the largest that is tried.'),
      epsilons: setting.epsilons(1000),
    }),
  }),
  gradient: defineAttack({
    title: 'Gradient',
    description:
      'One step along the gradient scaled to unit root mean square: the smallest of a grid of step sizes that fools the model.',
    citation: foolbox,
    family: 'minimisation',
    norm: 'l2',
    access: 'gradient',
    version: 1,
    settings: z.strictObject({
      epsilon: setting.epsilon(
        1,
        'Largest step tried, as a root mean square per pixel (28 times that is the L2 norm on 28×28).',
      ),
      epsilons: setting.epsilons(1000),
    }),
  }),
  'iterative-gradient-sign': iterativeGradient(true),
  'iterative-gradient': iterativeGradient(false),
  bim: bim('linf', { epsilon: 0.3, stepSize: 0.05 }),
  'bim-l2': bim('l2', { epsilon: 8.4, stepSize: 1.4 }),
  'single-pixel': defineAttack({
    title: 'Single Pixel',
    description:
      'Sets one pixel to the least or the greatest value, in random order over the pixels, until one fools the model.',
    citation: `Narodytska & Kasiviswanathan 2017, Simple black-box adversarial perturbations; semantics of ${foolbox}`,
    family: 'minimisation',
    norm: 'l0',
    access: 'decision',
    version: 1,
    settings: z.strictObject({
      pixels: z.int().min(1).max(1_000_000).default(1000).meta({
        title: 'Pixels',
        description: 'Pixels tried at most; a 28×28 image has 784, so it is searched through.',
      }),
    }),
  }),
  'local-search': defineAttack({
    title: 'Local Search',
    description:
      'Greedy rounds on few pixels: probes pixels far out of range, moves those that hurt the true class most, looks near them next.',
    citation: `Narodytska & Kasiviswanathan 2017, Simple black-box adversarial perturbations; semantics of ${foolbox}`,
    family: 'minimisation',
    norm: 'l0',
    access: 'score',
    version: 1,
    settings: z.strictObject({
      steps: setting.steps(150, 'Rounds at most (R).'),
      cycle: z.number().gt(0).max(2).default(1.5).meta({
        title: 'Cycle factor',
        description: 'A chosen pixel is multiplied by this, cyclically in range (r).',
      }),
      probe: z.number().gt(0).max(1000).default(10).meta({
        title: 'Probe value',
        description: 'Size that a probed pixel is set to, out of range on purpose (p).',
      }),
      distance: z.int().min(0).max(1000).default(5).meta({
        title: 'Distance',
        description: 'Half side of the square around a chosen pixel searched next (d).',
      }),
      pixels: z
        .int()
        .min(1)
        .max(1000)
        .default(5)
        .meta({ title: 'Pixels', description: 'Pixels moved per round (t).' }),
      pick: z.enum(['lowest', 'highest']).default('lowest').meta({
        title: 'Pick',
        description:
          'Pixels whose probe leaves the lowest true-class score (Foolbox 1.0–2.0, the paper) or the highest (2.1 and later).',
      }),
    }),
  }),
} as const satisfies Record<string, AttackDeclaration>;
