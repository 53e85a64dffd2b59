import { type AttackName, evaluationMetrics, type LeaderboardRow, readExtended } from '@funnel/contracts';
import { settingsText } from '../output/describe-settings.ts';
import { differingHyperparameters } from '../output/differing-hyperparameters.ts';
import { formatNumber, formatShare } from '../output/number.ts';
import { type Column, formatTable } from '../output/table.ts';
import { budgetText, describeRanking, sameBudget, sameSettings, titleOf } from './ranking.ts';
import { joinReasons } from './reasons.ts';

/** What a value is where it is no mean: `2 of 3 seeds: ∞`. */
const infiniteText = ({ seeds, infiniteSeeds = 0 }: LeaderboardRow): string =>
  infiniteSeeds > 0 && seeds.length > 1 ? ` (${infiniteSeeds} of ${seeds.length} seeds: ∞)` : '';

const valueText = (row: LeaderboardRow): string => {
  const value = readExtended(row.value);
  const format = evaluationMetrics[row.metric].unit === 'fraction' ? formatShare : formatNumber;
  const interval = row.halfWidth === null ? '' : ` ± ${format(row.halfWidth)}`;
  return `${format(value)}${interval}${infiniteText(row)}`;
};

/** Where a defence rejects images: how many clean ones, and how many under the attack of the row. */
const rejectionColumns: readonly Column<LeaderboardRow>[] = [
  { title: 'rejected clean', value: (row) => formatShare(row.rejectedClean), align: 'right' },
  { title: 'attacked', value: (row) => formatShare(row.rejectedAttacked), align: 'right' },
];

type Asked = {
  /** What the ranking is by; the worst case over all attacks where it is none. */
  readonly attack: AttackName | undefined;
};

/** What the ranking is by, the ranking as a table, and why runs are marked below it. */
export const describeLeaderboard = (rows: readonly LeaderboardRow[], { attack }: Asked): string => {
  const [top] = rows;
  if (!top) return 'No evaluation yet.';
  const columns: Column<LeaderboardRow>[] = [
    { title: '#', value: ({ rank }) => String(rank), align: 'right' },
    { title: 'trial', value: ({ trialId }) => trialId },
    { title: 'recipe', value: ({ recipe }) => recipe },
    ...(new Set(rows.map(({ dataset }) => dataset)).size > 1
      ? [{ title: 'data set', value: (row: LeaderboardRow) => row.dataset }]
      : []),
    ...differingHyperparameters(rows),
    { title: 'seed', value: ({ seeds }) => seeds.join(','), align: 'right' },
    { title: 'clean', value: ({ cleanAccuracy }) => formatShare(cleanAccuracy), align: 'right' },
    ...(rows.some(({ rejectedClean }) => rejectedClean !== undefined) ? rejectionColumns : []),
    { title: titleOf(top.metric), value: valueText, align: 'right' },
    ...(attack === undefined ? [{ title: 'attack', value: (row: LeaderboardRow) => row.attack }] : []),
    ...(attack === undefined && !sameBudget(rows) ? [{ title: 'within', value: budgetText }] : []),
    ...(sameSettings(rows) ? [] : [{ title: 'settings', value: settingsText }]),
    { title: '', value: ({ verdict }) => (verdict === 'ok' ? '' : verdict) },
  ];
  const reasons = rows
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ rank, verdict, reasons: why }) => `  ${rank}: ${verdict}: ${joinReasons(why)}`);
  return [...describeRanking(rows, attack), '', formatTable(columns, rows), ...reasons].join('\n');
};
