/** Says where attacks have an ε far above the usual one of their data set. The defaults of attacks are for grey digits. */
import type { Budgets } from '../datasets.ts';
import { ballOf, type Run, threatModelText } from '../ranking.ts';

/** A ball of so many times the usual radius of a data set fools nearly every model on nearly every image. */
const tooLarge = 3;

const rounded = (value: number): number => Number(value.toPrecision(3));

/** One sentence without its end for each norm; none where every ε is at most three times the usual one. */
export const largeBalls = (runs: readonly Run[], usual: Budgets, dataset: string): readonly string[] =>
  (['linf', 'l2'] as const).flatMap((norm) => {
    const large = runs.filter((run) => {
      const ball = ballOf(run);
      return ball?.norm === norm && ball.epsilon > tooLarge * usual[norm];
    });
    if (large.length === 0) return [];
    const names = [...new Set(large.map(({ attack }) => attack))];
    const largest = Math.max(...large.map((run) => ballOf(run)!.epsilon));
    return [
      `ε ${rounded(largest)} of ${names.join(', ')} is ${rounded(largest / usual[norm])} times the usual ε of ${dataset} (${threatModelText({ [norm]: usual[norm] })}): nearly every image of every model will be fooled`,
    ];
  });
