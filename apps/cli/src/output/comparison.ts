import {
  apartText,
  distanceMetric,
  type EvaluationMetricName,
  formatExact,
  isBounded,
  lettersText,
  type TrialDetail,
  threatModelText,
  totalOf,
  usualMetricAmong,
  verdictText,
  wilsonInterval,
  withinText,
  worstCaseShare,
} from '@funnel/contracts';
import { describeWarmups } from './below-leaderboard.ts';
import { formatCounted, formatShare, formatSureNumber, formatSureShare, formatTable } from './format.ts';
import { titleOf } from './metrics.ts';
import { settingsText } from './trials.ts';

type Row = { readonly what: string; readonly cells: readonly string[] };

type Evaluation = TrialDetail['evaluations'][number];

const nameOf = (evaluation: Evaluation): string => `${evaluation.attack} ${settingsText(evaluation)}`.trim();

const evaluationRow = (
  trials: readonly TrialDetail[],
  name: string,
  what: string,
  textOf: (evaluation: Evaluation) => string,
): Row => ({
  what: `${what}: ${name}`,
  cells: trials.map(({ evaluations }) => {
    const found = evaluations.find((evaluation) => nameOf(evaluation) === name);
    return found ? textOf(found) : '–';
  }),
});

const cleanText = ({ cleanAccuracy, perClass }: TrialDetail): string =>
  formatSureShare(cleanAccuracy, perClass && totalOf(perClass).interval);

/** Of an attack without a fixed ε: at the ε that the trial names. */
const robustText = ({ summary, robustAtEpsilon: at }: Evaluation): string =>
  at
    ? `${formatSureShare(at.accuracy, wilsonInterval(at.robust, summary.images))} at ${threatModelText({ [at.norm]: at.epsilon })}`
    : formatSureShare(summary.robustAccuracy, summary.robustInterval);

/** By the robust accuracy in the worst case; without one by the median distance. Empty without a worst case. */
const worstCaseRows = (trials: readonly TrialDetail[], letters: readonly (string | null)[]): Row[] => {
  if (trials.every(({ worstCase }) => worstCase === null)) return [];
  const metric = usualMetricAmong(
    trials.flatMap(({ evaluations }) => evaluations),
    undefined,
  );
  const within = trials.map(({ worstCase }) => withinText(worstCase?.within ?? {}, metric));
  const sameWithin = new Set(within).size === 1;
  const cells = trials.map((trial, i) => {
    const text = worstCaseText(trial, metric);
    return sameWithin || text === '–' ? text : `${text}${within[i]}`;
  });
  return [
    { what: `worst case: ${titleOf(metric)}${sameWithin ? within[0] : ''}`, cells },
    ...(letters.some((letter) => letter !== null)
      ? [{ what: 'letters', cells: letters.map((letter) => (letter === null ? '–' : lettersText(letter))) }]
      : []),
  ];
};

const worstCaseText = (trial: TrialDetail, metric: EvaluationMetricName): string => {
  if (metric === 'medianL2' || metric === 'medianLinf')
    return formatSureNumber(trial.worstCase?.values[metric] ?? null, trial.worstCase?.intervals?.[metric]);
  const share = worstCaseShare(trial, 'robustAccuracy');
  return share === null ? '–' : formatCounted(share.count, share.of, share.interval);
};

/** Of an attack that looks for the smallest change: its median in the norm in which it works. */
const medianRows = (trials: readonly TrialDetail[], name: string): Row[] => {
  const run = trials.flatMap(({ evaluations }) => evaluations).find((each) => nameOf(each) === name)!;
  if (isBounded(run)) return [];
  const metric = distanceMetric(run.attack);
  return [
    evaluationRow(trials, name, titleOf(metric), ({ summary, intervals }) =>
      formatSureNumber(summary[metric], intervals?.[metric]),
    ),
  ];
};

/**
 * The robust accuracy under one attack, or its median, or both; and, when one of the trials rejects images, the share of attacked images that it
 * rejects.
 */
const evaluationRows = (trials: readonly TrialDetail[], name: string): Row[] => {
  const rejects = trials.some(({ evaluations }) =>
    evaluations.some(({ summary }) => summary.rejectedAttacked !== undefined),
  );
  const robust = evaluationRow(trials, name, 'robust', robustText);
  return [
    ...(robust.cells.every((cell) => cell === '–') ? [] : [robust]),
    ...medianRows(trials, name),
    ...(rejects
      ? [evaluationRow(trials, name, 'rejected', ({ summary }) => formatShare(summary.rejectedAttacked))]
      : []),
  ];
};

/** One row for all attacks, since the share of clean images that a trial rejects does not depend on the attack. */
const rejectedClean = (trials: readonly TrialDetail[]): Row[] => {
  const shares = trials.map(({ evaluations }) => evaluations[0]?.summary.rejectedClean);
  if (shares.every((share) => share === undefined)) return [];
  return [{ what: 'rejected clean', cells: shares.map(formatShare) }];
};

/** One column per trial: first the differences between the trials, then their results. */
export const describeComparison = ({
  trials,
  differs,
  letters = [],
}: {
  readonly trials: readonly TrialDetail[];
  readonly differs: readonly string[];
  readonly letters?: readonly (string | null)[] | undefined;
}): string => {
  const hyperparameter = (name: string): Row => ({
    what: name,
    cells: trials.map(({ hyperparameters }) => formatExact(hyperparameters[name] ?? '–')),
  });
  const attacks = [...new Set(trials.flatMap(({ evaluations }) => evaluations.map(nameOf)))];
  const rows: Row[] = [
    { what: 'recipe', cells: trials.map(({ recipe }) => recipe) },
    { what: 'seed', cells: trials.map(({ seed }) => String(seed)) },
    ...differs
      .filter((name) => trials.some(({ hyperparameters }) => name in hyperparameters))
      .map(hyperparameter),
    { what: 'clean accuracy', cells: trials.map(cleanText) },
    ...rejectedClean(trials),
    ...worstCaseRows(trials, letters),
    ...attacks.flatMap((name) => evaluationRows(trials, name)),
    { what: 'verdict', cells: trials.map(({ verdict }) => (verdict ? verdictText(verdict) : '–')) },
  ];
  const table = formatTable<Row>(
    [
      { title: '', value: ({ what }) => what },
      ...trials.map(({ id }, i) => ({
        title: id,
        value: ({ cells }: Row) => cells[i] ?? '',
        align: 'right' as const,
      })),
    ],
    rows,
  );
  const warmups = describeWarmups(trials.map((trial) => ({ ...trial, trialId: trial.id })));
  return [table, ...[apartText(letters) ?? []].flat(), ...warmups].join('\n');
};
