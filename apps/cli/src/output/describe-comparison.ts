import type { TrialDetail } from '@funnel/contracts';
import { formatShare } from './number.ts';
import { formatTable } from './table.ts';

type Row = { readonly what: string; readonly cells: readonly string[] };

const evaluationRow = (trials: readonly TrialDetail[], key: string): Row => ({
  what: `robust: ${key}`,
  cells: trials.map(({ evaluations }) => {
    const found = evaluations.find(({ attack, settings }) => `${attack} ${JSON.stringify(settings)}` === key);
    return formatShare(found?.summary.robustAccuracy);
  }),
});

/** One column per trial: what they differ in, then what came of them. */
export const describeComparison = ({
  trials,
  differs,
}: {
  readonly trials: readonly TrialDetail[];
  readonly differs: readonly string[];
}): string => {
  const knob = (name: string): Row => ({
    what: name,
    cells: trials.map(({ hyperparameters }) => String(hyperparameters[name] ?? '–')),
  });
  const attacks = [
    ...new Set(
      trials.flatMap(({ evaluations }) =>
        evaluations.map(({ attack, settings }) => `${attack} ${JSON.stringify(settings)}`),
      ),
    ),
  ];
  const rows: Row[] = [
    { what: 'recipe', cells: trials.map(({ recipe }) => recipe) },
    { what: 'seed', cells: trials.map(({ seed }) => String(seed)) },
    ...differs.filter((name) => trials.some(({ hyperparameters }) => name in hyperparameters)).map(knob),
    { what: 'clean accuracy', cells: trials.map(({ cleanAccuracy }) => formatShare(cleanAccuracy)) },
    ...attacks.map((key) => evaluationRow(trials, key)),
    { what: 'verdict', cells: trials.map(({ verdict }) => verdict ?? '–') },
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
