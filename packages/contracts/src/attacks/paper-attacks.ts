/** The attacks of the paper's Table 2 and text, with the semantics of the paper's tool, Foolbox 1.8. */
import { z } from 'zod';
import { type AttackDeclaration, defineAttack, normTitles, setting } from './define-attack.ts';

/** Since version 2 a list of ε is tried in ascending order, and no other ε. Grids from a count are as in version 1. */
const listVersion = ({ epsilons }: { epsilons: number | number[] }): number =>
  typeof epsilons === 'number' ? 1 : 2;

/** The number of ε in a grid. */
const countOf = (epsilons: number | readonly number[]): number =>
  typeof epsilons === 'number' ? epsilons : epsilons.length;

/** The largest ε of a grid. */
const largestOf = (epsilon: number, epsilons: number | readonly number[]): number =>
  Array.isArray(epsilons) ? Math.max(...epsilons) : epsilon;

/** One gradient, one pass for each ε, and the bisection after the first hit. */
const gridQueries = (epsilons: number | readonly number[]): number => 1 + countOf(epsilons) + 20;

/** The runs of a search of BIM: it raises ε at most this often, and bisects 20 times. */
const longestSearch = 40;

/** The pixels that a round of the local search probes at most. */
const maxProbes = 128;

const foolbox = 'Rauber et al. 2017, Foolbox 1.8';
/** Models of two classes have longer steps since 0.2.0. The version stayed: all data sets of the service have ten classes. */
const deepfool = (norm: 'l2' | 'linf') =>
  defineAttack({
    title: `DeepFool ${normTitles[norm]}`,
    description:
      'Steps onto the nearest linearised class boundary until the class changes; returns the first adversarial iterate.',
    citation: `Moosavi-Dezfooli et al. 2016, DeepFool; semantics of ${foolbox}`,
    family: 'minimisation',
    norm,
    access: 'gradient',
    version: 1,
    queries: ({ steps }) => steps + 1,
    settings: z.strictObject({
      steps: setting.steps(50, 'Maximum number of linearisations; the paper uses 50, 200 and 1000.'),
      overshoot: z
        .number()
        .min(0)
        .max(10)
        .default(0.05)
        .meta({ title: 'Overshoot', description: 'Share by which every step goes beyond the boundary.' }),
      classes: z.int().min(2).max(10_000).default(10).meta({
        title: 'Classes',
        description: 'The attack tries this many of the most likely classes of the clean image.',
      }),
    }),
  });

const bim = (norm: 'l2' | 'linf', defaults: { readonly epsilon: number; readonly stepSize: number }) => {
  type Limits = {
    readonly search: boolean;
    readonly epsilon: number;
    /** Undefined in results of 0.1.0, whose searches had no limit. */
    readonly largestEpsilon?: number | null;
  };
  /** At the default ε a search has no limit, as in 0.1.0, because results with the default settings exist. */
  const searchLimit = ({ epsilon, largestEpsilon }: Limits): number => {
    if (largestEpsilon === undefined) return Number.POSITIVE_INFINITY;
    return largestEpsilon ?? (epsilon === defaults.epsilon ? Number.POSITIVE_INFINITY : epsilon);
  };
  return defineAttack({
    title: `Basic Iterative Method ${normTitles[norm]}`,
    description: 'Gradient steps, projected onto the ball; stops at the first hit.',
    citation: `Kurakin et al. 2017, Adversarial examples in the physical world; semantics of ${foolbox}`,
    family: 'fixed',
    norm,
    access: 'gradient',
    version: 1,
    versionFor: (settings: Limits): number =>
      settings.search && Number.isFinite(searchLimit(settings)) ? 2 : 1,
    searchLimit,
    queries: ({ search, steps }) => 1 + (search ? longestSearch : 1) * steps,
    settings: z.strictObject({
      search: setting.search(
        true,
        'Multiply ε by 1.5 up to `largestEpsilon` until an image fools the model, then bisect 20 times; the step size stays in proportion to ε. False: exactly ε.',
      ),
      epsilon: setting.epsilon(
        defaults.epsilon,
        `Radius of the ${normTitles[norm]} ball; the first ε of a search.`,
      ),
      largestEpsilon: z
        .number()
        .gt(0)
        .max(1000)
        .nullable()
        .default(null)
        .meta({
          title: 'Largest ε',
          since: '0.2.0',
          description: `The largest ε that a search tries. Null: \`epsilon\`, so that the search succeeds on the same images as one run at ε; but no limit where ε is ${defaults.epsilon}, the default.`,
        }),
      stepSize: setting.stepSize(defaults.stepSize, 'Length of a step at ε; null is ε / 6.'),
      steps: setting.steps(10),
    }),
  });
};

const iterativeGradient = (sign: boolean) =>
  defineAttack({
    title: sign ? 'Iterative Gradient Sign' : 'Iterative Gradient',
    description: `Unprojected ${sign ? 'sign' : 'gradient'} steps from the image, for every step size of a grid; keeps the nearest hit over all iterates.`,
    citation: foolbox,
    family: 'minimisation',
    norm: sign ? 'linf' : 'l2',
    access: 'gradient',
    version: 1,
    queries: ({ epsilons, steps }) => 1 + countOf(epsilons) * steps,
    // The L2 norm of a step depends on the number of pixels, so only signs have a limit here.
    furthest: ({ epsilon, epsilons, steps }) =>
      sign ? steps * largestOf(epsilon / steps, epsilons) : Number.POSITIVE_INFINITY,
    settings: z.strictObject({
      epsilon: setting.epsilon(1, 'Largest sum of all steps: step sizes go up to ε / steps.'),
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
      'One step along the sign of the gradient. Its size is a fixed ε, or the smallest ε of a grid that fools the model.',
    citation: `Goodfellow et al. 2015, Explaining and harnessing adversarial examples; semantics of ${foolbox}`,
    family: 'fixed',
    norm: 'linf',
    access: 'gradient',
    version: 1,
    versionFor: listVersion,
    queries: ({ search, epsilons }) => (search ? gridQueries(epsilons) : 2),
    furthest: ({ epsilon, epsilons }) => largestOf(epsilon, epsilons),
    settings: z.strictObject({
      search: setting.search(
        true,
        'Try the grid and keep the smallest ε that fools the model. False: exactly ε, one forward pass.',
      ),
      epsilon: setting.epsilon(
        1,
        'Size of the step (L∞); with search, the largest size to try, and no robust accuracy at it.',
      ),
      epsilons: setting.epsilons(1000),
    }),
  }),
  gradient: defineAttack({
    title: 'Gradient',
    description:
      'One step along the gradient, scaled to root mean square 1. Its size is the smallest of a grid that fools the model.',
    citation: foolbox,
    family: 'minimisation',
    norm: 'l2',
    access: 'gradient',
    version: 1,
    versionFor: listVersion,
    queries: ({ epsilons }) => gridQueries(epsilons),
    settings: z.strictObject({
      epsilon: setting.epsilon(
        1,
        'Largest step to try, as a root mean square per pixel (times 28 gives the L2 norm on 28×28).',
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
      'Sets one pixel to the lowest or the highest value, for the pixels in random order, until one change fools the model.',
    citation: `Narodytska & Kasiviswanathan 2017, Simple black-box adversarial perturbations; semantics of ${foolbox}`,
    family: 'minimisation',
    norm: 'l0',
    access: 'decision',
    version: 1,
    queries: ({ pixels }) => 2 * pixels,
    settings: z.strictObject({
      pixels: z.int().min(1).max(1_000_000).default(1000).meta({
        title: 'Pixels',
        description:
          'Maximum number of pixels to try; a 28×28 image has 784, so the default tries all of them.',
      }),
    }),
  }),
  'local-search': defineAttack({
    title: 'Local Search',
    description:
      'Greedy rounds on few pixels: probes pixels far out of range, changes the pixels that lower the score of the true class most, then probes near them.',
    citation: `Narodytska & Kasiviswanathan 2017, Simple black-box adversarial perturbations; semantics of ${foolbox}`,
    family: 'minimisation',
    norm: 'l0',
    access: 'score',
    version: 1,
    queries: ({ steps }) => steps * (maxProbes + 1),
    settings: z.strictObject({
      steps: setting.steps(150, 'Maximum number of rounds (R).'),
      cycle: z.number().gt(0).max(2).default(1.5).meta({
        title: 'Cycle factor',
        description:
          'Factor for a chosen pixel; a value beyond one end of the range enters again at the other end (r).',
      }),
      probe: z.number().gt(0).max(1000).default(10).meta({
        title: 'Probe value',
        description: 'Absolute value of a probed pixel, out of range on purpose (p).',
      }),
      distance: z.int().min(0).max(1000).default(5).meta({
        title: 'Distance',
        description: 'Half side of the square around a chosen pixel that the next round probes (d).',
      }),
      pixels: z
        .int()
        .min(1)
        .max(1000)
        .default(5)
        .meta({ title: 'Pixels', description: 'Pixels that a round changes (t).' }),
      pick: z.enum(['lowest', 'highest']).default('lowest').meta({
        title: 'Pick',
        description:
          'Choose the pixels whose probe leaves the lowest true-class score (Foolbox 1.0–2.0, the paper) or the highest (2.1 and later).',
      }),
    }),
  }),
} as const satisfies Record<string, AttackDeclaration>;
