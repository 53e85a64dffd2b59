/** The list of models: the most robust trials, and how many it leaves out. */
import {
  type AttackName,
  type LeaderboardPage,
  type LeaderboardRow,
  notShownText,
  usualRankings,
} from '@funnel/contracts';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../../data/api.ts';
import { modelGroups } from './models.ts';

/** More entries make a list that nobody reads. */
const maxModels = 30;

type BestTrials = {
  readonly rows: readonly LeaderboardRow[];
  /** What the list leaves out, in sentences. */
  readonly notes: readonly string[];
};

const notesOf = ({ notShown, next }: LeaderboardPage, attack: AttackName | undefined): readonly string[] => [
  ...(next === null ? [] : [`These are the best ${maxModels} trials.`]),
  ...(notShown && attack !== undefined ? [notShownText(notShown, attack)] : []),
];

/** The most robust trials, best first, by the first default ranking that has trials. */
export const bestQuery = queryOptions({
  queryKey: ['best-trials'],
  queryFn: async ({ signal }): Promise<BestTrials> => {
    for (const ranking of usualRankings()) {
      const page = await call('leaderboard', { query: { ...ranking, limit: maxModels } }, signal);
      if (page.items.length > 0) return { rows: page.items, notes: notesOf(page, ranking.attack) };
    }
    return { rows: [], notes: [] };
  },
});

export const ModelPicker = (props: {
  readonly best: BestTrials;
  readonly id: string | undefined;
  readonly onPick: (id: string) => void;
}) => {
  const { best, id } = props;
  if (best.rows.length === 0) return null;
  const groups = modelGroups(best.rows);
  const own = groups.find(({ models }) => models.some((model) => model.id === id));
  const notes = [...(own ? [`${own.title}.`] : []), ...best.notes];
  return (
    <div className="try-picker">
      <label className="label">
        Model
        <select className="input" value={id ?? ''} onChange={(event) => props.onPick(event.target.value)}>
          {own || id === undefined ? null : <option value={id}>the trial of the previous page</option>}
          {groups.map(({ title, models }) => (
            <optgroup key={title} label={title}>
              {models.map((model) => (
                <option key={model.id} value={model.id}>
                  {model.text}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      {notes.length === 0 ? null : <p className="muted small">{notes.join(' ')}</p>}
    </div>
  );
};
