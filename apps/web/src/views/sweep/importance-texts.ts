/** How the importance of hyperparameters is computed, in words. */
import { plural } from '../../format.ts';
import { permutations } from '../../statistics/hyperparameter-importance.ts';

/**
 * `what`: the objective, in the middle of a sentence. `comparable`: all hyperparameters are computed from the same trials. `given`: the titles
 * of the hyperparameters whose effects are taken out for the others. `ranked`: ranks replace the values.
 */
export const importanceNote = (of: {
  readonly what: string;
  readonly measured: number;
  readonly comparable: boolean;
  readonly given: readonly string[];
  readonly ranked: boolean;
}): string =>
  [
    `The share of the variance of ${of.what} that each hyperparameter explains on its own, corrected for what chance alone would explain, over ${plural(of.measured, 'trial')}.`,
    `It is the adjusted η²: (η² − m) / (1 − m), where m is the mean η² of ${permutations} random shuffles of the results.`,
    ...(of.comparable
      ? []
      : ['The share of a hyperparameter is computed over the trials whose recipe reads it.']),
    ...(of.given.length === 0
      ? []
      : [
          `The effects of the other hyperparameters that matter (${of.given.join(', ')}) are taken out of the results first, so that a strong one does not hide a weak one.`,
        ]),
    'The mark shows the share that chance alone reaches in one of twenty random shuffles.',
    ...(of.ranked ? ['Some values are ∞, so ranks are used instead of values.'] : []),
  ].join(' ');

/** What the blue bars, which pass their marks, leave over. `explained`: the sum of their shares. `grey`: there are others. */
export const remainderText = (explained: number, grey: boolean): string => {
  const rest = `${grey ? 'grey bars, ' : ''}interactions, seeds, noise and the correction`;
  if (explained === 0) return 'No share passes its mark, so each of them may be chance.';
  if (explained > 1)
    return 'The shares of the blue bars overlap, because some of these hyperparameters change together. So they do not add up.';
  const percent = Math.round(100 * explained);
  return `The blue bars explain ${percent}%. The remaining ${100 - percent}% are ${rest}.`;
};

/** `titles`: of hyperparameters whose share no result of these trials could tell from chance. Null without any. */
export const tooFewText = (titles: readonly string[]): string | null =>
  titles.length === 0
    ? null
    : `Too few trials to tell ${titles.join(', ')} from chance: no random shuffle explains more, but more than one in twenty explains as much. The intervals of the leaderboard, or more seeds, say more.`;

/** `others`: other hyperparameters vary, too. */
export const levelMeansText = (
  levels: readonly { readonly infinite?: number; readonly interval: unknown }[],
  others: boolean,
): string => {
  const point = levels.some(({ infinite }) => infinite !== undefined)
    ? 'A point is the mean of the trials with this value; the median if one of them is ∞.'
    : 'A point is the mean of the trials with this value.';
  if (levels.every(({ interval }) => interval === null)) return point;
  return `${point} A vertical line is its 95 % interval (Student’s t)${others ? '; it is wide where other hyperparameters move the trials, too' : ''}.`;
};
