/** The reference of the words in results: metrics, checks and statuses. */
import { type DiagnosticId, diagnosticIds, diagnostics, verdicts } from '../attacks/diagnostics.ts';
import { evaluationMetrics, type Metric, trainingMetrics } from '../metrics.ts';
import { recipeNames, recipes } from '../recipes.ts';
import { stageStatuses, sweepStatuses, trialStatuses } from '../statuses.ts';
import { countVerdictTexts } from '../trial-verdict.ts';
import { defineTopic } from './topic.ts';

const unitText = {
  fraction: 'a share from 0 to 1',
  loss: 'the loss',
  L2: 'L2, over all pixels in [0, 1]',
  Linf: 'L∞, pixels in [0, 1]',
  count: 'a count',
} as const satisfies Record<Metric['unit'], string>;

/** The recipes with a stage that records the metric. */
const recordedBy = (metric: string): readonly string[] =>
  recipeNames.filter((name) =>
    recipes[name].stages.some(({ records }) => (records as readonly string[]).includes(metric)),
  );

const metricRow =
  (of: 'training' | 'evaluation') =>
  ([name, metric]: readonly [string, Metric]) => ({
    name,
    of,
    ...metric,
    recipes: of === 'training' ? recordedBy(name) : recipeNames,
  });

export const metricTopic = defineTopic<ReturnType<ReturnType<typeof metricRow>>>({
  title: 'Metrics',
  about:
    'Training records a metric in each epoch. An evaluation has its metrics for each attack; `objective:` of a sweep file and `--metric` of `npx funnel best` take these.',
  rows: () => [
    ...Object.entries(trainingMetrics).map(metricRow('training')),
    ...Object.entries(evaluationMetrics).map(metricRow('evaluation')),
  ],
  fields: [
    { title: 'of', text: ({ of }) => of, isListed: true },
    { title: 'better', text: ({ direction }) => (direction === 'max' ? 'more' : 'less'), isListed: true },
    { title: 'meaning', text: ({ description }) => description, isListed: true },
    { title: 'unit', text: ({ unit }) => unitText[unit] },
    { title: 'over', text: ({ over }) => over },
    { title: 'recipes', text: (row) => row.recipes.join(', ') },
  ],
});

const checkRow = (id: DiagnosticId) => ({ number: id, ...diagnostics[id] });

export const checkTopic = defineTopic<ReturnType<typeof checkRow>>({
  title: 'Checks',
  about:
    'After the attacks, these checks say whether a low success rate can be believed. A flagged check is `suspect`; a certain one that masks is `masked`. The verdict of an evaluation is the worst of its checks.',
  rows: () => diagnosticIds.map(checkRow),
  aliasOf: ({ number }) => number,
  fields: [
    { title: 'number', text: ({ number }) => number, isListed: true },
    { title: 'flagged when', text: ({ flagged }) => flagged, isListed: true },
    { title: 'holds otherwise', text: ({ title }) => title },
    {
      title: 'verdict',
      text: ({ masks }) => (masks ? 'suspect, or masked where the finding is certain' : 'suspect'),
    },
    { title: 'what to do', text: ({ remedy }) => remedy },
  ],
});

const statusRows = (of: string, meanings: Readonly<Record<string, string>>) =>
  Object.entries(meanings).map(([name, meaning]) => ({ name, of, meaning }));

export const statusTopic = defineTopic<ReturnType<typeof statusRows>[number]>({
  title: 'Statuses',
  about: 'The statuses of sweeps, trials and stages, and the verdicts about evaluations and trials.',
  rows: () => [
    ...statusRows('sweep', sweepStatuses),
    ...statusRows('trial', trialStatuses),
    ...statusRows('stage', stageStatuses),
    ...statusRows('evaluation', verdicts),
    ...statusRows('trial', countVerdictTexts),
  ],
  fields: [
    { title: 'of', text: ({ of }) => of, isListed: true },
    { title: 'meaning', text: ({ meaning }) => meaning, isListed: true },
  ],
});
