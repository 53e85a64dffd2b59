import { describeValues, type Plan, type StageKind } from '@funnel/contracts';
import { formatCount, formatNumber, formatTable } from './format.ts';

/** The values of each hyperparameter, and the parts of the search space that add no trial. Empty without a search space. */
const describeSpace = ({ space = [], leftOut = [] }: Plan): readonly string[] => {
  const hyperparameters = formatTable(
    [
      { title: 'hyperparameter', value: ({ hyperparameter }) => hyperparameter },
      { title: 'values', value: describeValues },
    ],
    space,
  );
  return [
    ...(space.length > 0 ? [hyperparameters, ''] : []),
    ...leftOut,
    ...(leftOut.length > 0 ? [''] : []),
  ];
};

/** What a sweep would do, and what sharing saves. */
export const describePlan = (plan: Plan): string => {
  const { trials, stages, epochs, sharing } = plan;
  const kinds = Object.entries(stages) as [StageKind, { total: number; cached: number }][];
  const table = formatTable(
    [
      { title: 'stage', value: ([kind]) => kind },
      { title: 'number', value: ([, { total }]) => String(total), align: 'right' as const },
      { title: 'done already', value: ([, { cached }]) => String(cached), align: 'right' as const },
    ],
    kinds,
  );
  return [
    formatCount(trials, 'trial'),
    '',
    ...describeSpace(plan),
    table,
    '',
    `${formatCount(epochs.needed, 'epoch')} to train, ${epochs.cached} done or under way for others; ${epochs.unshared} if every trial trained alone (${formatNumber(sharing)}×).`,
  ].join('\n');
};
