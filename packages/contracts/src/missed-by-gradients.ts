/**
 * Images that attacks without gradients fool, and gradient attacks at the same ε do not: a sign that gradients mislead attacks on the model, which the results
 * themselves give. Check H2 looks for the same with a short attack on few images, so it may miss them.
 */
import { attacks } from './attacks.ts';
import { type Ball, ballOf, type Run } from './ranking.ts';
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

/** One image more may be chance. */
const fewest = 2;

/** The sentence about the images of a contest that only attacks without gradients fool; null for fewer than two. */
export const missedText = (
  { ball, gradientFree }: Contest,
  runs: readonly Run[],
  { missed, images }: { readonly missed: number; readonly images: number },
): string | null => {
  if (missed < fewest) return null;
  const names = [...new Set(gradientFree.map((place) => runs[place]!.attack))];
  const what = `${missed} of ${plural(images, 'image')} at ${threatModelText({ [ball.norm]: ball.epsilon })}`;
  return `${names.join(', ')} ${names.length === 1 ? 'fools' : 'fool'} ${what} that no gradient attack of this run fools, so gradients may mislead attacks on this model even where no check raises a flag. Trust the worst case, which counts these images.`;
};
