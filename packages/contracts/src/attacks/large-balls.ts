/** Says where attacks have an ε far above the usual one of their data set. The defaults of attacks are for grey digits. */
import type { Budgets } from '../datasets.ts';
import { type Ball, ballOf, type Run } from '../ranking.ts';
import { threatModelText } from '../threat-model.ts';

/**
 * A ball of so many times the usual radius of a data set fools nearly every model on nearly every image. The default of 0.3 is three times the
 * usual radius of grey photographs.
 */
const tooLarge = 3;

const rounded = (value: number): number => Number(value.toPrecision(3));

const isLarge = ({ norm, epsilon }: Ball, usual: Budgets): boolean =>
  rounded(epsilon / usual[norm]) >= tooLarge;

/** `trainingEpsilon 0.3 is 9.56 times the usual ε of photographs (L∞ 0.0314)`; null below three times the usual one. `what` names ε. */
export const excessText = (
  ball: Ball,
  usual: Budgets,
  dataset: string,
  what: (epsilon: number) => string,
): string | null => {
  if (!isLarge(ball, usual)) return null;
  const { norm, epsilon } = ball;
  return `${what(rounded(epsilon))} is ${rounded(epsilon / usual[norm])} times the usual ε of ${dataset} (${threatModelText({ [norm]: usual[norm] })})`;
};

/** One sentence without its end for each norm; none where every ε is below three times the usual one. */
export const largeBalls = (runs: readonly Run[], usual: Budgets, dataset: string): readonly string[] =>
  (['linf', 'l2'] as const).flatMap((norm) => {
    const balls = runs.flatMap((run) => {
      const ball = ballOf(run);
      return ball?.norm === norm && isLarge(ball, usual) ? [{ ...ball, attack: run.attack }] : [];
    });
    const names = [...new Set(balls.map(({ attack }) => attack))].join(', ');
    const epsilon = Math.max(0, ...balls.map((ball) => ball.epsilon));
    const excess = excessText({ norm, epsilon }, usual, dataset, (value) => `ε ${value} of ${names}`);
    return excess === null ? [] : [`${excess}: nearly every image of every model will be fooled`];
  });
