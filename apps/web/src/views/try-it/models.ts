/** The models that a user can choose, in groups whose values can be compared. */
import {
  evaluationMetrics,
  type LeaderboardRow,
  readExtended,
  threatModelOf,
  withinText,
} from '@funnel/contracts';
import { verdictLabels } from '../../components/status.tsx';
import { attackTitle, formatHyperparameter, hyperparameterTitle, seedsText } from '../../format.ts';
import { formatMetric } from '../../statistics/objective.ts';

/** An entry names those of them in which the listed models differ. */
const namedHyperparameters = ['architecture', 'gamma', 'beta', 'optimiseEpochs'];
const differing = (rows: readonly LeaderboardRow[]): readonly string[] =>
  namedHyperparameters.filter(
    (name) => new Set(rows.flatMap(({ hyperparameters }) => hyperparameters[name] ?? [])).size > 1,
  );

/** `33 of 40 images robust` */
const resultOf = (row: LeaderboardRow): string => {
  if (row.metric === 'robustAccuracy') {
    const { correct, fooled, images } = row.counts;
    return `${correct - fooled} of ${images} images robust`;
  }
  const value = readExtended(row.value);
  const text = value === null ? '–' : formatMetric(row.metric)(value);
  return `${evaluationMetrics[row.metric].title} ${text}`;
};

/** `funn, γ 5: 33 of 40 images robust, seed 0; too few images`: a verdict says why an entry stands below others of lower values. */
const entryOf = (row: LeaderboardRow, names: readonly string[]): string => {
  const hyperparameters = names
    .filter((name) => name in row.hyperparameters)
    .map((name) => `${hyperparameterTitle(name)} ${formatHyperparameter(row.hyperparameters[name])}`);
  const verdict = row.verdict === 'ok' ? '' : `; ${verdictLabels[row.verdict]}`;
  return `${[row.recipe, ...hyperparameters].join(', ')}: ${resultOf(row)}, ${seedsText(row.seeds)}${verdict}`;
};

/** `glyphs under PGD L∞, within L∞ 0.3` */
const groupOf = (row: LeaderboardRow): string =>
  `${row.dataset} under ${attackTitle(row)}${withinText(threatModelOf([row]), row.metric)}`;

export type ModelGroup = {
  readonly title: string;
  readonly models: readonly { readonly id: string; readonly text: string }[];
};

/** Groups of one data set, attack and ball. Groups and their models keep the order of the rows. */
export const modelGroups = (rows: readonly LeaderboardRow[]): readonly ModelGroup[] => {
  const names = differing(rows);
  const titles = [...new Set(rows.map(groupOf))];
  return titles.map((title) => ({
    title,
    models: rows
      .filter((row) => groupOf(row) === title)
      .map((row) => ({ id: row.trialId, text: entryOf(row, names) })),
  }));
};
