/** Attacks that a credible evaluation needs besides the attacks of the paper, and weak attacks that these must beat. */
import { z } from 'zod';
import {
  type AttackDeclaration,
  defineAttack,
  largestSetting,
  normTitles,
  setting,
  stepVersion,
} from './define-attack.ts';
import { carliniWagner, hopSkipJump } from './l2-attacks.ts';

const autoAttack = 'Croce & Hein 2020, Reliable evaluation of adversarial robustness (AutoAttack)';

const pgd = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `PGD ${normTitles[norm]}`,
    description: 'Projected gradient ascent with random starts.',
    citation: 'Madry et al. 2018, Towards deep learning models resistant to adversarial attacks',
    family: 'fixed',
    norm,
    access: 'gradient',
    version: 1,
    versionFor: stepVersion,
    queries: ({ steps, restarts }) => restarts * (steps + 1),
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      steps: setting.steps(norm === 'l2' ? 50 : 40),
      stepSize: setting.stepSize(null, 'Length of a step; null is 2.5 ε / steps.'),
      restarts: setting.restarts(),
      loss: setting.loss(),
      randomStart: setting.randomStart(true),
    }),
  });

const apgdCe = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `APGD-CE ${normTitles[norm]}`,
    description:
      'PGD on the cross-entropy with momentum. The step size halves when the loss stops rising, so nobody has to choose it.',
    citation: autoAttack,
    family: 'fixed',
    norm,
    access: 'gradient',
    version: 1,
    queries: ({ steps, restarts }) => restarts * (steps + 1),
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      steps: setting.steps(100),
      restarts: setting.restarts(),
    }),
  });

const apgdTargeted = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `APGD-T ${normTitles[norm]}`,
    description:
      'APGD on the targeted difference-of-logits ratio, once per target class: the scale of the logits does not matter.',
    citation: autoAttack,
    family: 'fixed',
    norm,
    access: 'gradient',
    version: 1,
    queries: ({ steps, targets, restarts }) => restarts * targets * (steps + 1),
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      steps: setting.steps(100),
      targets: setting.targets(),
      restarts: setting.restarts(),
    }),
  });

const fab = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `FAB-T ${normTitles[norm]}`,
    description:
      'Minimal perturbations along the linearised boundary to each target class, with a bias towards the image.',
    citation:
      'Croce & Hein 2020, Minimally distorted adversarial examples with a fast adaptive boundary attack',
    family: 'minimisation',
    norm,
    access: 'gradient',
    version: 1,
    queries: ({ steps, targets, restarts }) => 2 * restarts * targets * steps,
    settings: z.strictObject({
      steps: setting.steps(100),
      targets: setting.targets(),
      restarts: setting.restarts(),
      epsilon: setting.radius(norm).meta({
        title: 'ε',
        description: 'Radius of the random starts from the second restart on; results may lie farther.',
      }),
    }),
  });

const square = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `Square ${normTitles[norm]}`,
    description:
      'Random search over squares; sees logits and no gradients, so masked gradients do not mislead it.',
    citation: 'Andriushchenko et al. 2020, Square Attack',
    family: 'fixed',
    norm,
    access: 'score',
    version: 1,
    queries: ({ queries }) => queries,
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      queries: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(5000)
        .meta({ title: 'Queries', description: 'Maximum number of forward passes per image.' }),
      area: z
        .number()
        .gt(0)
        .max(1)
        .default(0.8)
        .meta({ title: 'Area', description: 'Share of the pixels that the first squares cover.' }),
    }),
  });

const fmn = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `FMN ${normTitles[norm]}`,
    description:
      'Gradient steps on the margin inside a ball whose radius follows the boundary: finds small perturbations fast.',
    citation: 'Pintor et al. 2021, Fast minimum-norm adversarial attacks through adaptive norm constraints',
    family: 'minimisation',
    norm,
    access: 'gradient',
    version: 2,
    queries: ({ steps }) => 2 * (steps + 1),
    settings: z.strictObject({
      steps: setting.steps(100),
      stepSize: z.number().gt(0).max(largestSetting).default(1).meta({
        title: 'Step size',
        description: 'Length of the first step; it falls along a cosine to a hundredth.',
      }),
      gamma: z.number().gt(0).lt(1).default(0.05).meta({
        title: 'γ',
        description: 'Share by which the radius shrinks or grows in the first step; it falls along a cosine.',
      }),
    }),
  });

const feature = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `Feature attack ${normTitles[norm]}`,
    description:
      "Adaptive attack on a robust encoder: moves the image's features onto those of images of other classes, then increases the margin.",
    citation:
      'Sabour et al. 2016, Adversarial manipulation of deep representations; Tramèr et al. 2020, On adaptive attacks',
    family: 'fixed',
    norm,
    access: 'gradient',
    needs: ['encoder'],
    version: 1,
    versionFor: stepVersion,
    queries: ({ steps, guides }) => guides * (steps + Math.ceil(steps / 2) + 1),
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      steps: setting.steps(60, 'Steps on the features; half as many steps on the margin follow.'),
      stepSize: setting.stepSize(null, 'Length of a step; null is 2.5 ε / steps.'),
      guides: z.int().min(1).max(1000).default(5).meta({
        title: 'Guides',
        description:
          'The number of images of other classes that the attack tries as targets in feature space, nearest first.',
      }),
    }),
  });

const transfer = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `Transfer ${normTitles[norm]}`,
    description:
      'PGD on other models, the surrogates; the attack then tries the result on this model. In a sweep the surrogates are classifiers of other trials.',
    citation: 'Papernot et al. 2016, Transferability in machine learning',
    family: 'fixed',
    norm,
    access: 'transfer',
    needs: ['surrogates'],
    version: 1,
    versionFor: stepVersion,
    queries: ({ surrogates }) => surrogates,
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      steps: setting.steps(40),
      stepSize: setting.stepSize(null, 'Length of a step; null is 2.5 ε / steps.'),
      loss: setting.loss(),
      surrogates: setting.surrogates(),
    }),
  });

const noise = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `Random noise ${normTitles[norm]}`,
    description: 'Uniform draws from the ball. Every gradient attack must fool more images.',
    citation: 'Carlini et al. 2019, On evaluating adversarial robustness',
    family: 'fixed',
    norm,
    access: 'decision',
    version: 1,
    queries: ({ draws }) => draws,
    settings: z.strictObject({
      epsilon: setting.radius(norm),
      draws: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(1000)
        .meta({ title: 'Draws', description: 'Maximum number of draws per image.' }),
    }),
  });

export const strongerAttacks = {
  'pgd-linf': pgd('linf'),
  'pgd-l2': pgd('l2'),
  'cw-l2': carliniWagner,
  'apgd-ce-linf': apgdCe('linf'),
  'apgd-ce-l2': apgdCe('l2'),
  'apgd-t-linf': apgdTargeted('linf'),
  'apgd-t-l2': apgdTargeted('l2'),
  'fab-t-linf': fab('linf'),
  'fab-t-l2': fab('l2'),
  'square-linf': square('linf'),
  'square-l2': square('l2'),
  'fmn-l2': fmn('l2'),
  'fmn-linf': fmn('linf'),
  'hop-skip-jump-l2': hopSkipJump,
  'feature-linf': feature('linf'),
  'feature-l2': feature('l2'),
  'transfer-linf': transfer('linf'),
  'transfer-l2': transfer('l2'),
  'noise-linf': noise('linf'),
  'noise-l2': noise('l2'),
} as const satisfies Record<string, AttackDeclaration>;
