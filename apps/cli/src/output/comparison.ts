import { formatExact, type TrialDetail, totalOf, verdictText } from '@funnel/contracts';
import { formatShare, formatSureShare, formatTable } from './format.ts';
import { settingsText } from './trials.ts';

type Row = { readonly what: string; readonly cells: readonly string[] };

type Evaluation = TrialDetail['evaluations'][number];

const nameOf = (evaluation: Evaluation): string => `${evaluation.attack} ${settingsText(evaluation)}`.trim();

const evaluationRow = (
  trials: readonly TrialDetail[],
  name: string,
  what: string,
  share: (summary: Evaluation['summary']) => string,
): Row => ({
  what: `${what}: ${name}`,
  cells: trials.map(({ evaluations }) => {
    const found = evaluations.find((evaluation) => nameOf(evaluation) === name);
    return found ? share(found.summary) : '–';
  }),
});

const cleanText = ({ cleanAccuracy, perClass }: TrialDetail): string =>
  formatSureShare(cleanAccuracy, perClass && totalOf(perClass).interval);

/** The robust accuracy under one attack and, when one of the trials rejects images, the share of attacked images that it rejects. */
const evaluationRows = (trials: readonly TrialDetail[], name: string): Row[] => {
  const rejects = trials.some(({ evaluations }) =>
    evaluations.some(({ summary }) => summary.rejectedAttacked !== undefined),
  );
  return [
    evaluationRow(trials, name, 'robust', ({ robustAccuracy, robustInterval }) =>
      formatSureShare(robustAccuracy, robustInterval),
    ),
    ...(rejects
      ? [evaluationRow(trials, name, 'rejected', ({ rejectedAttacked }) => formatShare(rejectedAttacked))]
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
}: {
  readonly trials: readonly TrialDetail[];
  readonly differs: readonly string[];
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
    ...attacks.flatMap((name) => evaluationRows(trials, name)),
    { what: 'verdict', cells: trials.map(({ verdict }) => (verdict ? verdictText(verdict) : '–')) },
  ];
  return formatTable<Row>(
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
};
