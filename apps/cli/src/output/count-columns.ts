/** The columns of a leaderboard that count images. */
import { type LeaderboardRow, sizeText, threatModelText } from '@funnel/contracts';
import type { Column } from './format.ts';

const fooledText = (row: LeaderboardRow): string =>
  `${row.counts.fooled} of ${row.counts.correct}${sizeText(row)}`;

/**
 * `38 of 100`; under an attack without a fixed ε `38 of 100 at L∞ 0.3`, at the ε that the sweep names. A dash without a robust accuracy, and in
 * a ranking by another metric.
 */
const robustText = ({ metric, value, robustAtEpsilon, counts }: LeaderboardRow): string => {
  const { fooled, correct, images } = counts;
  if (robustAtEpsilon) {
    const { robust, norm, epsilon } = robustAtEpsilon;
    return `${robust} of ${images} at ${threatModelText({ [norm]: epsilon })}`;
  }
  return metric === 'robustAccuracy' && value !== null ? `${correct - fooled} of ${images}` : '–';
};

/** The images behind each row. Success counts the correctly classified images, robustness all of them. */
export const countColumns = (rows: readonly LeaderboardRow[]): readonly Column<LeaderboardRow>[] => [
  { title: 'fooled', value: fooledText, align: 'right' },
  ...(rows.some(({ metric, robustAtEpsilon }) => metric === 'robustAccuracy' || robustAtEpsilon)
    ? [{ title: 'robust', value: robustText, align: 'right' as const }]
    : []),
];
