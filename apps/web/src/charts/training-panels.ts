/** Which metrics of training share a chart, and its title. */
import { type MetricSeries, type StageKind, trainingMetrics } from '@funnel/contracts';

export type TrialCurves = {
  readonly name: string;
  readonly colour: number;
  readonly series: readonly MetricSeries[];
};

export type PanelSpec = {
  readonly title: string;
  readonly kinds: readonly StageKind[];
  /** The first curve is drawn strong, the second faint. */
  readonly metrics: readonly (keyof typeof trainingMetrics)[];
  /** `log`: a logarithmic axis if the values span more than one and a half powers of ten. */
  readonly scale: 'log' | 'linear' | 'share';
};

const panels: readonly PanelSpec[] = [
  { title: 'Attacker loss', kinds: ['initialise', 'optimise'], metrics: ['attackerLoss'], scale: 'log' },
  { title: 'Defender loss', kinds: ['initialise', 'optimise'], metrics: ['defenderLoss'], scale: 'log' },
  { title: 'Hinge active', kinds: ['optimise'], metrics: ['hingeActive'], scale: 'share' },
  { title: 'Classifier loss', kinds: ['classify'], metrics: ['classifierLoss'], scale: 'log' },
  {
    title: 'Training accuracy under attack',
    kinds: ['classify'],
    metrics: ['attackedAccuracy'],
    scale: 'linear',
  },
  { title: 'Divergence', kinds: ['classify'], metrics: ['divergenceLoss'], scale: 'log' },
  {
    title: 'Reformers: I, and II (faint)',
    kinds: ['initialise'],
    metrics: ['reformerLoss', 'secondReformerLoss'],
    scale: 'log',
  },
  {
    title: 'Detection: AUC, and rate (faint)',
    kinds: ['classify'],
    metrics: ['detectionArea', 'detectionRate'],
    scale: 'linear',
  },
  { title: 'Rejected clean images', kinds: ['classify'], metrics: ['rejectedShare'], scale: 'linear' },
  {
    title: 'Accuracy: clean, and training (faint)',
    kinds: ['classify'],
    metrics: ['cleanAccuracy', 'trainAccuracy'],
    scale: 'linear',
  },
];

/**
 * The panels for which a trial has values, each with the metrics that have some. With one of two metrics, its name is the title: nothing is
 * drawn faint.
 */
export const panelsOf = (trials: readonly TrialCurves[]): readonly PanelSpec[] =>
  panels.flatMap((panel) => {
    const metrics = panel.metrics.filter((metric) =>
      trials.some(({ series }) =>
        series.some(
          ({ name, kind, epochs }) => name === metric && panel.kinds.includes(kind) && epochs.length > 0,
        ),
      ),
    );
    const [only] = metrics;
    if (only === undefined) return [];
    const title = metrics.length < panel.metrics.length ? trainingMetrics[only].title : panel.title;
    return [{ ...panel, metrics, title }];
  });
