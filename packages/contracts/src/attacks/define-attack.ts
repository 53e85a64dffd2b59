/** The type of an attack's declaration, and the settings that several attacks share. Distances are in units of the pixel range. */
import { z } from 'zod';

export type AttackFamily = 'fixed' | 'minimisation';
export type AttackNorm = 'linf' | 'l2' | 'l0';
export const normTitles = { linf: 'L∞', l2: 'L2', l0: 'L0' } as const satisfies Record<AttackNorm, string>;
/** The knowledge of the attacker: gradients, logits, only the predicted class, or the gradients of another model. */
export type AttackAccess = 'gradient' | 'score' | 'decision' | 'transfer';
/** A resource that an attack needs besides the model, the images and the labels. */
export type AttackResource = 'encoder' | 'surrogates';

export type AttackDeclaration<Settings extends z.ZodObject = z.ZodObject> = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** `fixed`: fools within ε. `minimisation`: finds the smallest perturbation. A fixed attack with `search: true` minimises too. */
  readonly family: AttackFamily;
  /** The norm of the budget, or the norm that the attack minimises. Every result is measured in all norms. */
  readonly norm: AttackNorm;
  readonly access: AttackAccess;
  readonly needs?: readonly AttackResource[];
  /** Part of a stage's identity. Raise it when the same settings and seed give another result. */
  readonly version: number;
  /** The version for these settings, where a change gave another result for some settings only. */
  versionFor?(settings: z.output<Settings>): number;
  /** The largest number of queries that one image takes with these settings, as the records of an evaluation count them. */
  queries(settings: z.output<Settings>): number;
  /** The largest ε that a search with these settings tries; infinite without a limit. Absent: the search has no limit. */
  searchLimit?(settings: z.output<Settings>): number;
  /** The largest distance in `norm` that an attack without a fixed ε tries. Absent: `searchLimit`, or any distance. */
  furthest?(settings: z.output<Settings>): number;
  readonly settings: Settings;
};

/** Adds `against`, the setting that every attack has, and keeps the literal types of the declaration. */
export const defineAttack = <Shape extends z.core.$ZodLooseShape>(
  attack: AttackDeclaration<z.ZodObject<Shape, z.core.$strict>>,
) => ({ ...attack, settings: attack.settings.extend({ against: setting.against() }) });

/** Returns true for an attack that makes its images on other classifiers. */
export const needsSurrogates = ({ needs = [] }: Pick<AttackDeclaration, 'needs'>): boolean =>
  needs.includes('surrogates');

/** The largest value of a setting without a natural bound: float32 ends at 3.4e38, and infinity times zero is NaN. */
export const largestSetting = 1e30;

/** The length of the longest step that an attack takes. A longer step ends at the same point of the ball; its square may overflow float32. */
export const longestStep = (epsilon: number): number => 1e15 * epsilon;

/** Since version 2 a step ends at `longestStep`. Before, the square of a longer one overflowed, and the projection onto L2 balls cancelled it. */
export const stepVersion = ({
  epsilon,
  stepSize,
}: {
  readonly epsilon: number;
  readonly stepSize: number | null;
}): number => (stepSize !== null && stepSize > longestStep(epsilon) ? 2 : 1);

const epsilon = (value: number, description: string) =>
  z.number().gt(0).max(1000).default(value).meta({ title: 'ε', description });

/** The settings that attacks share. Each name and description stands here once, so a setting means the same in every attack. */
export const setting = {
  steps: (value: number, description = 'Iterations per start.') =>
    z.int().min(1).max(100_000).default(value).meta({ title: 'Steps', description }),

  epsilon,

  /** The usual radius on MNIST. */
  radius: (norm: 'linf' | 'l2') =>
    norm === 'linf'
      ? epsilon(0.3, 'Radius of the L∞ ball, as a share of the pixel range.')
      : epsilon(2, 'Radius of the L2 ball: the true norm over all pixels in [0, 1].'),

  /** The grid of the gradient attacks in Foolbox 1.8. A count gives an even grid over (0, ε]; a list stays as it is. */
  epsilons: (value: number) =>
    z
      .union([z.int().min(1).max(100_000), z.array(z.number().gt(0).max(largestSetting)).min(1).max(10_000)])
      .default(value)
      .meta({
        title: 'ε grid',
        description:
          'The number of evenly spaced ε up to `epsilon` that the attack tries, or a list of the ε themselves.',
      }),

  search: (value: boolean, description: string) =>
    z.boolean().default(value).meta({ title: 'Search', description }),

  stepSize: (value: number | null, description: string) =>
    z.number().gt(0).max(largestSetting).nullable().default(value).meta({ title: 'Step size', description }),

  against: () =>
    z.enum(['defence', 'classifier']).optional().meta({
      title: 'Against',
      default: 'defence', // only for readers of the schema: parsing leaves an absent value absent, so it stays out of identities
      description:
        'The target of the attack when a defence rejects or changes images: the classifier with its defence (default, adaptive), or the bare classifier (oblivious).',
    }),

  surrogates: (value = 3) =>
    z.int().min(1).max(16).default(value).meta({
      title: 'Surrogates',
      description:
        'The number of other classifiers that the attack runs on. It succeeds if an image that it made on one of them fools the model. In a sweep these are classifiers of other trials.',
    }),

  restarts: (value = 1) =>
    z.int().min(1).max(1000).default(value).meta({
      title: 'Restarts',
      description: 'Independent starts; the attack succeeds if one of them fools the model.',
    }),

  randomStart: (value: boolean) =>
    z.boolean().default(value).meta({
      title: 'Random start',
      description: 'Start from a uniform draw in the ball, not from the image itself.',
    }),

  loss: () =>
    z.enum(['cross-entropy', 'margin']).default('cross-entropy').meta({
      title: 'Loss',
      description:
        'Cross-entropy from logits, or the margin max over j≠y of z_j − z_y, whose gradient does not vanish on confident models.',
    }),

  targets: () =>
    z.int().min(1).max(1000).default(9).meta({
      title: 'Targets',
      description:
        'The number of classes that the attack tries as target, from the second most likely class down.',
    }),
};
