/** What is declared of an attack, and the settings that attacks share. */
import { z } from 'zod';

export type AttackFamily = 'fixed' | 'minimisation';
export type AttackNorm = 'linf' | 'l2' | 'l0';
export const normTitles = { linf: 'L∞', l2: 'L2', l0: 'L0' } as const satisfies Record<AttackNorm, string>;
/** What the attacker sees: gradients, logits, only the predicted class, or another model's gradients. */
export type AttackAccess = 'gradient' | 'score' | 'decision' | 'transfer';
/** What an attack needs besides the model, the images and the labels. */
export type AttackResource = 'encoder' | 'surrogates';

export type AttackDeclaration<Settings extends z.ZodObject = z.ZodObject> = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** `fixed`: fool within ε. `minimisation`: find the smallest perturbation. `search: true` makes a fixed attack minimise. */
  readonly family: AttackFamily;
  /** The norm of its budget, or the one it minimises. All norms are measured on every result. */
  readonly norm: AttackNorm;
  readonly access: AttackAccess;
  readonly needs?: readonly AttackResource[];
  /** Part of a stage's identity: raise it whenever the same settings and seed give another result. */
  readonly version: number;
  readonly settings: Settings;
};

/** Whether it makes its images on other classifiers. */
export const needsSurrogates = ({ needs = [] }: Pick<AttackDeclaration, 'needs'>): boolean =>
  needs.includes('surrogates');

/** Keeps the literal types of one declaration, and adds the setting that all attacks share. */
export const defineAttack = <Shape extends z.core.$ZodLooseShape>(
  attack: AttackDeclaration<z.ZodObject<Shape, z.core.$strict>>,
) => ({ ...attack, settings: attack.settings.extend({ against: against() }) });

export const steps = (value: number, description = 'Iterations per start.') =>
  z.int().min(1).max(100_000).default(value).meta({ title: 'Steps', description });

export const epsilon = (value: number, description: string) =>
  z.number().gt(0).max(1000).default(value).meta({ title: 'ε', description });

/** The radius that is usual on MNIST. */
export const radius = (norm: 'linf' | 'l2') =>
  norm === 'linf'
    ? epsilon(0.3, 'Radius of the L∞ ball, as a share of the pixel range.')
    : epsilon(2, 'Radius of the L2 ball: the true norm over all pixels in [0, 1].');

/** Grid of Foolbox 1.8's gradient attacks: a count makes an even grid over (0, ε], a list is tried as it stands. */
export const epsilons = (value: number) =>
  z
    .union([z.int().min(1).max(100_000), z.array(z.number().gt(0)).min(1).max(10_000)])
    .default(value)
    .meta({
      title: 'ε grid',
      description: 'How many evenly spaced ε up to `epsilon` are tried, or the list of those to try instead.',
    });

export const search = (value: boolean, description: string) =>
  z.boolean().default(value).meta({ title: 'Search', description });

export const stepSize = (value: number | null, description: string) =>
  z.number().gt(0).nullable().default(value).meta({ title: 'Step size', description });

export const against = () =>
  z.enum(['defence', 'classifier']).optional().meta({
    title: 'Against',
    default: 'defence', // for who reads the schema: what is not written stays unwritten, and out of identities
    description:
      'What the images are made against where a defence rejects or changes images: all of it (the default: adaptive), or the bare classifier (oblivious).',
  });

export const surrogates = (value = 3) =>
  z.int().min(1).max(16).default(value).meta({
    title: 'Surrogates',
    description:
      'How many other classifiers the images are made on; an image falls if one of theirs fools the model. In a sweep: the first ones of other trials.',
  });

export const restarts = (value = 1) =>
  z.int().min(1).max(1000).default(value).meta({
    title: 'Restarts',
    description: 'Independent starts; an image falls if one of them fools the model.',
  });

export const randomStart = (value: boolean) =>
  z.boolean().default(value).meta({
    title: 'Random start',
    description: 'Start from a uniform draw in the ball, not from the image itself.',
  });

export const loss = () =>
  z.enum(['cross-entropy', 'margin']).default('cross-entropy').meta({
    title: 'Loss',
    description:
      'Cross-entropy from logits, or the margin max over j≠y of z_j − z_y, whose gradient does not vanish on confident models.',
  });

export const targets = () =>
  z.int().min(1).max(1000).default(9).meta({
    title: 'Targets',
    description: 'How many classes are tried as target, from the second most likely down.',
  });
