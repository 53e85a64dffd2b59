import { readExtended, type Stage, type Trial, type TrialDetail, withinText } from '@funnel/contracts';
import { settingsText } from './describe-settings.ts';
import { formatDuration } from './duration.ts';
import { formatNumber, formatShare } from './number.ts';
import { type Column, formatTable } from './table.ts';

type Evaluation = Trial['evaluations'][number];

/** Where a defence rejects images: how many clean, which are not attacked, and how many of the attacked, which counts as defended. */
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

const evaluationTable = (evaluations: readonly Evaluation[]): string =>
  formatTable<Evaluation>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'settings', value: settingsText },
      { title: 'success', value: ({ summary }) => formatShare(summary.successRate), align: 'right' },
      { title: 'robust', value: ({ summary }) => formatShare(summary.robustAccuracy), align: 'right' },
      ...(evaluations.some(({ summary }) => summary.rejectedClean !== undefined) ? rejectionColumns : []),
      { title: 'median L2', value: ({ summary }) => formatNumber(summary.medianL2), align: 'right' },
      { title: 'noise level', value: ({ summary }) => formatNumber(summary.noiseLevel), align: 'right' },
      { title: 'verdict', value: ({ verdict }) => verdict },
    ],
    evaluations,
  );

const worstCaseLine = ({ within, values }: NonNullable<Trial['worstCase']>): string =>
  `worst case over them${withinText(within)}: robust ${formatShare(readExtended(values.robustAccuracy))}, median L2 ${formatNumber(values.medianL2)}`;

const stageTable = (stages: readonly Stage[]): string =>
  formatTable<Stage>(
    [
      { title: 'stage', value: ({ id }) => id.slice(0, 12) },
      { title: 'kind', value: ({ kind, attack }) => (attack ? `${kind} ${attack.attack}` : kind) },
      { title: 'status', value: ({ status }) => status },
      { title: 'epochs', value: ({ epochs }) => (epochs === 0 ? '' : String(epochs)), align: 'right' },
      {
        title: 'time',
        value: ({ seconds }) => (seconds === null ? '' : formatDuration(seconds)),
        align: 'right',
      },
      { title: 'attempts', value: ({ attempts }) => String(attempts), align: 'right' },
      { title: 'shared by', value: ({ sharedBy }) => String(sharedBy), align: 'right' },
    ],
    stages,
  );

const errorsOf = (stages: readonly Stage[]): string[] =>
  stages.flatMap(({ kind, error }) => (error ? [`${kind}: ${error.code}: ${error.message}`] : []));

export const describeTrial = (trial: TrialDetail): string =>
  [
    `trial ${trial.id} (number ${trial.number} of sweep ${trial.sweepId})`,
    `${trial.recipe} on ${trial.dataset}, seed ${trial.seed}: ${trial.status}, clean accuracy ${formatShare(trial.cleanAccuracy)}`,
    Object.entries(trial.hyperparameters)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    '',
    stageTable(trial.stages),
    ...(trial.evaluations.length > 0 ? ['', evaluationTable(trial.evaluations)] : []),
    ...(trial.worstCase && trial.evaluations.length > 1 ? [worstCaseLine(trial.worstCase)] : []),
    ...trial.warnings.map((warning) => `! ${warning}`),
    ...errorsOf(trial.stages).map((error) => `✗ ${error}`),
  ].join('\n');
