/** The results of the attacks on one trial as text: a row for each attack, and the worst case over all of them. */
import {
  distanceMetric,
  type Evaluation,
  sizeText,
  type Trial,
  type TrialDetail,
  threatModelText,
  wilsonInterval,
  withinText,
  worstCaseHas,
  worstCaseShare,
} from '@funnel/contracts';
import {
  type Column,
  formatCounted,
  formatCountedShort,
  formatShare,
  formatSureNumber,
  formatTable,
} from './format.ts';
import { titleOf } from './metrics.ts';
import { settingsText } from './trials.ts';
import { displayWidth } from './width.ts';

/** For defences that reject images. A rejected clean image is not attacked. A rejected attacked image counts as defended. */
const rejectionColumns: readonly Column<Evaluation>[] = [
  {
    title: 'rejected clean',
    value: ({ summary }) => formatShare(summary.rejectedClean),
    align: 'right',
  },
  {
    title: 'rejected attacked',
    value: ({ summary }) => formatShare(summary.rejectedAttacked),
    align: 'right',
  },
];

/** How a count, its total and its interval are written: in full, or short for a narrow terminal. */
type Counted = typeof formatCounted;

/** `40 of 78 (51.3 %, 40.4–62.1)`: of the correctly classified images. An attack without a fixed ε fools them `at any size`. */
const fooledText = (
  { summary: { successes, attempted, successRate }, ...run }: Evaluation,
  counted: Counted,
): string =>
  successRate === null
    ? `${successes} of ${attempted}`
    : `${counted(successes, attempted, wilsonInterval(successes, attempted))}${sizeText(run)}`;

/**
 * `38 of 100 (38.0 %, 29.1–47.8)`: of all images. An attack without a fixed ε has its robust accuracy at the ε that the trial names, and says at
 * which: `38 of 100 (38.0 %, 29.1–47.8) at L∞ 0.3`; a dash without one.
 */
const robustText = ({ summary, robustAtEpsilon }: Evaluation, counted: Counted): string => {
  const { attempted, successes, images, robustAccuracy } = summary;
  const of = (robust: number) => counted(robust, images, wilsonInterval(robust, images));
  if (robustAccuracy !== null) return of(attempted - successes);
  if (!robustAtEpsilon) return '–';
  const { robust, norm, epsilon } = robustAtEpsilon;
  return `${of(robust)} at ${threatModelText({ [norm]: epsilon })}`;
};

/** The median of each attack in the norm in which it works. Where the norms differ, each value says which. */
const medianColumn = (evaluations: readonly Evaluation[]): Column<Evaluation> => {
  const metrics = new Set(evaluations.map(({ attack }) => distanceMetric(attack)));
  const [only] = metrics;
  return {
    title: only !== undefined && metrics.size === 1 ? titleOf(only) : 'median',
    value: ({ attack, summary, intervals }) => {
      const metric = distanceMetric(attack);
      const text = formatSureNumber(summary[metric], intervals?.[metric]);
      return metrics.size === 1 ? text : `${titleOf(metric).replace('median ', '')} ${text}`;
    },
    align: 'right',
  };
};

export const evaluationTable = (
  evaluations: readonly Evaluation[],
  width: number | null,
  counted: Counted = formatCounted,
): string => {
  const table = formatTable<Evaluation>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'fooled', value: (evaluation) => fooledText(evaluation, counted), align: 'right' },
      { title: 'robust', value: (evaluation) => robustText(evaluation, counted), align: 'right' },
      ...(evaluations.some(({ summary }) => summary.rejectedClean !== undefined) ? rejectionColumns : []),
      medianColumn(evaluations),
      {
        title: 'noise level',
        value: ({ summary, intervals }) => formatSureNumber(summary.noiseLevel, intervals?.noiseLevel),
        align: 'right',
        isOptional: true,
      },
      { title: 'verdict', value: ({ verdict }) => verdict },
      // Last, because they may be long.
      { title: 'settings', value: settingsText },
    ],
    evaluations,
    width,
  );
  const isTooWide = width !== null && table.split('\n').some((line) => displayWidth(line) > width);
  return isTooWide && counted === formatCounted
    ? evaluationTable(evaluations, width, formatCountedShort)
    : table;
};

/** `robust 38 of 100 (38.0 %, 29.1–47.8), within L∞ 0.3; median L∞ 0.21 (0.19–0.24) (changes of any size)`: the numbers that exist. */
export const worstCaseLine = (
  trial: TrialDetail,
  { within, values, intervals }: NonNullable<Trial['worstCase']>,
): string => {
  const robust = worstCaseShare(trial, 'robustAccuracy');
  const medians = (['medianL2', 'medianLinf'] as const)
    .filter((metric) => worstCaseHas(metric, trial.evaluations))
    .map((metric) => `${titleOf(metric)} ${formatSureNumber(values[metric] ?? null, intervals?.[metric])}`);
  return `worst case over these attacks: ${[
    robust === null
      ? 'robust –'
      : `robust ${formatCounted(robust.count, robust.of, robust.interval)}${withinText(within, 'robustAccuracy')}`,
    ...(medians.length === 0 ? [] : [`${medians.join(', ')} (changes of any size)`]),
  ].join('; ')}`;
};
