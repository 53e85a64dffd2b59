import type { Plan, StageKind } from '@funnel/contracts';
import { formatNumber } from './number.ts';
import { formatTable } from './table.ts';

/** What a sweep would do and what sharing saves. */
export const describePlan = ({ trials, stages, epochs, sharing }: Plan): string => {
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
    `${trials} trials`,
    '',
    table,
    '',
    `${epochs.needed} epochs to train, ${epochs.cached} done or under way for others; ${epochs.unshared} if every trial trained alone (${formatNumber(sharing)}×).`,
  ].join('\n');
};
