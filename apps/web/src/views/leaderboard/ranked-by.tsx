import { attacks, evaluationMetrics, type LeaderboardRow, withinText } from '@funnel/contracts';
import { settingsLabel } from '../../attack-label.ts';
import { inSentence } from '../../format.ts';
import { formatMetric } from '../sweep/objective.ts';
import type { BoardQuery } from './leaderboard-query.ts';

const underWhat = ({ attack }: BoardQuery, items: readonly LeaderboardRow[]): string => {
  if (attack === undefined) {
    const budgets = new Set(items.map(({ within = {} }) => withinText(within)));
    const [within = ''] = budgets;
    if (budgets.size > 1)
      return 'in the worst case over the attacks of each run, whose budgets differ: compare rows of the same sweep';
    return `in the worst case over the attacks of each run${within}`;
  }
  const settings = new Set(items.map(settingsLabel));
  if (settings.size > 1)
    return `under ${attacks[attack].title}, whose settings differ: compare rows of the same settings`;
  const [own = ''] = settings;
  return `under ${attacks[attack].title}${own === '' ? '' : `, ${own}`}`;
};

/** What a place means, and whether it means anything. */
export const RankedBy = ({
  items,
  query,
}: {
  readonly items: readonly LeaderboardRow[];
  readonly query: BoardQuery;
}) => {
  const [top] = items;
  if (!top || top.metric !== query.metric) return null;
  const { title, direction } = evaluationMetrics[query.metric];
  const other =
    evaluationMetrics[query.metric].unit === 'fraction' ? 'the median distance' : 'robust accuracy';
  const mixed = new Set(items.map(({ dataset }) => dataset)).size > 1;
  const equal = items.length > 1 && items.every(({ value }) => value === top.value);
  return (
    <div className="board-ranked">
      <p className="muted small">
        Ranked by {inSentence(title)} {underWhat(query, items)}. {direction === 'max' ? 'Higher' : 'Lower'} is
        better.{mixed ? ' Data sets differ: choose one to compare like with like.' : ''}
      </p>
      {equal ? (
        <p className="notice" role="note">
          {top.value === null
            ? 'None of these runs has a value'
            : `All of these runs have ${formatMetric(query.metric)(Number(top.value))}`}
          : this tells none of them apart. Another metric, such as {other}, may.
        </p>
      ) : null}
    </div>
  );
};
