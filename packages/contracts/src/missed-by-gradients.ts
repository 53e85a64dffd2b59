/**
 * Images that attacks without gradients fool, and gradient attacks at the same ε do not: a sign that gradients mislead attacks on the model, which the results
 * themselves give. Check H2 looks for the same with a short attack on few images, so it may miss them.
 */
import { z } from 'zod';
import { AttackName, attacks } from './attacks.ts';
import { type Ball, ballOf, type Run } from './ranking.ts';
import { Count } from './resources/fields.ts';
import { plural } from './text.ts';
import { threatModelText } from './threat-model.ts';

/** The attacks of one model that meet at one ε. The lists hold places among its runs. */
export type Contest = {
  readonly ball: Ball;
  /** Attacks at this ε that follow no gradient. */
  readonly gradientFree: readonly number[];
  /** All gradient attacks: those with another ε, or none, may find changes within this one, too. */
  readonly gradient: readonly number[];
};

const followsGradients = ({ attack }: Run): boolean => attacks[attack].access === 'gradient';

/** One step is weak on every model, so it says nothing about gradients. */
const takesSteps = ({ settings }: Run): boolean => typeof settings.steps === 'number' && settings.steps > 1;

/** One for each ε at which both a gradient attack of several steps and an attack without gradients ran. */
export const contestsOf = (runs: readonly Run[]): readonly Contest[] => {
  const balls = runs.map(ballOf);
  const places = [...runs.keys()];
  const gradient = places.filter((place) => followsGradients(runs[place]!));
  const byBall = new Map<string, { readonly ball: Ball; readonly own: number[] }>();
  for (const [place, ball] of balls.entries()) {
    if (!ball) continue;
    const key = `${ball.norm} ${ball.epsilon}`;
    byBall.set(key, { ball, own: [...(byBall.get(key)?.own ?? []), place] });
  }
  return [...byBall.values()].flatMap(({ ball, own }) => {
    const gradientFree = own.filter((place) => !gradient.includes(place));
    const isMet = own.some((place) => gradient.includes(place) && takesSteps(runs[place]!));
    return isMet && gradientFree.length > 0 ? [{ ball, gradientFree, gradient }] : [];
  });
};

export const MissedImages = z
  .strictObject({
    attacks: z.array(AttackName).meta({ description: 'The attacks without gradients at this ε.' }),
    norm: z.enum(['linf', 'l2']),
    epsilon: z.number(),
    missed: Count.meta({
      description: 'The images that these attacks fool, and no gradient attack within ε.',
    }),
    images: Count.meta({ description: 'The images of the attacks.' }),
  })
  .meta({ id: 'MissedImages' });
export type MissedImages = z.infer<typeof MissedImages>;

/** One image more may be chance. */
const fewest = 2;

/** How many images of one trial only attacks without gradients fool, for each contest of its attacks. `count` counts them. */
export const missedImagesOf = (
  runs: readonly Run[],
  count: (contest: Contest) => Pick<MissedImages, 'missed' | 'images'>,
): readonly MissedImages[] =>
  contestsOf(runs).map((contest) => {
    const attacks = [...new Set(contest.gradientFree.map((place) => runs[place]!.attack))];
    return { attacks, ...contest.ball, ...count(contest) };
  });

/** Those of a trial with at least two images. */
export const tellingMisses = (own: readonly MissedImages[]): readonly MissedImages[] =>
  own.filter(({ missed }) => missed >= fewest);

/** The sum over the seeds of a row, for each ε at which at least one seed has two images. */
export const missedOfSeeds = (seeds: readonly (readonly MissedImages[])[]): readonly MissedImages[] => {
  const isSame = (a: MissedImages, b: MissedImages) => a.norm === b.norm && a.epsilon === b.epsilon;
  const [first = []] = seeds;
  return first.flatMap((one) => {
    const same = seeds.flatMap((own) => own.filter((other) => isSame(one, other)));
    if (tellingMisses(same).length === 0) return [];
    const total = (name: 'missed' | 'images') => same.reduce((sum, each) => sum + each[name], 0);
    return [{ ...one, missed: total('missed'), images: total('images') }];
  });
};

const becauseOf = (models: string): string =>
  `so gradients may mislead attacks on ${models} even where no check raises a flag. Trust the worst case, which counts these images.`;

export const missedText = ({ attacks: names, norm, epsilon, missed, images }: MissedImages): string =>
  `${names.join(', ')} ${names.length === 1 ? 'fools' : 'fool'} ${missed} of ${plural(images, 'image')} at ${threatModelText({ [norm]: epsilon })} that no gradient attack of this run fools, ${becauseOf('this model')}`;

type Row = { readonly missedByGradients?: readonly MissedImages[] | undefined };

/** The mark of a row of a ranking: `gradients miss 7 of 80 images`. Of several ε, the one with the most. Null for a row without. */
export const missedMark = ({ missedByGradients = [] }: Row): string | null => {
  const [most] = [...missedByGradients].sort((a, b) => b.missed - a.missed);
  return most ? `gradients miss ${most.missed} of ${plural(most.images, 'image')}` : null;
};

/** What the marks of the rows mean; null where no row has one. */
export const missedNote = (rows: readonly Row[]): string | null => {
  const all = rows.flatMap(({ missedByGradients = [] }) => missedByGradients);
  if (all.length === 0) return null;
  const names = [...new Set(all.flatMap(({ attacks: own }) => own))];
  return `“Gradients miss” images that ${names.join(', ')} ${names.length === 1 ? 'fools' : 'fool'} and no gradient attack of the run fools at the same ε, ${becauseOf('such models')}`;
};
