import { type LeaderboardRow, readExtended, usualRankings } from '@funnel/contracts';
import { call } from '../../data/api.ts';
import type { LiveQuery } from '../../data/use-query.ts';
import { useQuery } from '../../data/use-query.ts';
import { formatHyperparameter, formatPercent, hyperparameterTitle } from '../../format.ts';

const bestQuery: LiveQuery<readonly LeaderboardRow[]> = {
  key: 'best-trials',
  load: async (signal) => {
    let found: readonly LeaderboardRow[] = [];
    for (const ranking of usualRankings())
      if (found.length === 0)
        found = (await call('leaderboard', { query: { ...ranking, limit: 30 } }, signal)).items;
    return found;
  },
};

/** The most robust trials, best first. */
export const useBestTrials = () => {
  const { data, loading, error } = useQuery(bestQuery);
  return { items: data ?? [], loading, error };
};

const named = ['gamma', 'beta', 'optimiseEpochs'];
const title = (row: LeaderboardRow): string => {
  const hyperparameters = named
    .filter((name) => name in row.hyperparameters)
    .map((name) => `${hyperparameterTitle(name)} ${formatHyperparameter(row.hyperparameters[name])}`);
  return `${row.rank}. ${row.recipe} on ${row.dataset}${hyperparameters.length > 0 ? `, ${hyperparameters.join(', ')}` : ''}: ${formatPercent(readExtended(row.value))} robust`;
};

export const TrialPicker = (props: {
  readonly best: readonly LeaderboardRow[];
  readonly id: string | undefined;
  readonly onPick: (id: string) => void;
}) => {
  const { best, id } = props;
  if (best.length === 0) return null;
  const listed = best.some(({ trialId }) => trialId === id);
  return (
    <label className="label">
      Model
      <select
        className="input try-picker"
        value={id ?? ''}
        onChange={(event) => props.onPick(event.target.value)}
      >
        {listed || id === undefined ? null : <option value={id}>the trial that you came from</option>}
        {best.map((row) => (
          <option key={row.trialId} value={row.trialId}>
            {title(row)}
          </option>
        ))}
      </select>
    </label>
  );
};
