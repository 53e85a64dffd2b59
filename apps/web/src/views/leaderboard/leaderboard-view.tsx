import {
  attacks,
  evaluationMetrics,
  type LeaderboardRow,
  type SweepDefinition,
  withinText,
} from '@funnel/contracts';
import { useEffect, useState } from 'react';
import { Empty, ErrorNotice, Skeleton } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { usePagedList } from '../../data/paged-list.ts';
import { sweepQuery, useLive, useQuery } from '../../data/queries.ts';
import { inSentence, settingsLabel } from '../../format.ts';
import { href, useLocation } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { maxChosen } from '../sweep/sweep-results.tsx';
import { type BoardQuery, LeaderboardFilters, useLeaderboardQuery } from './leaderboard-filters.tsx';
import { LeaderboardTable } from './leaderboard-table.tsx';
import './leaderboard.css';

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

/** A new result changes ranks, so the board is asked for anew, at most this often. */
const everyMs = 5000;

const isFiltered = ({ sweep, dataset, recipe, where }: BoardQuery): boolean =>
  sweep !== undefined || dataset !== undefined || recipe.length > 0 || where.length > 0;

const NoRuns = ({ filtered, onReset }: { readonly filtered: boolean; readonly onReset: () => void }) =>
  filtered ? (
    <Empty title="No run matches">
      <p>A run appears here when it has been measured by this attack.</p>
      <button type="button" className="button" onClick={onReset}>
        Show all
      </button>
    </Empty>
  ) : (
    <Empty title="No run has been measured yet">
      <p>A run appears here when its first attack has been measured.</p>
      <a className="button" data-kind="primary" href={href(['new'])}>
        New sweep
      </a>
    </Empty>
  );

const Board = ({ definition }: { readonly definition: SweepDefinition | undefined }) => {
  const { query, set, reset, fallBack } = useLeaderboardQuery(definition);
  const [version, setVersion] = useState(0);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const { list, state } = usePagedList<LeaderboardRow>({
    key: `leaderboard/${JSON.stringify(query)}/${version}`,
    load: (cursor) => call('leaderboard', { query: { ...query, cursor, limit: 100 } }),
    idOf: (row) => `${row.trialId}/${row.attack}/${JSON.stringify(row.settings)}`,
    mayChange: () => true,
  });
  // What was there stays on show until the new ranks have come.
  const [before, setBefore] = useState(state.items);
  if (state.items.length > 0 && before !== state.items) setBefore(state.items);
  const items = state.items.length === 0 && state.loading ? before : state.items;
  const [changedAt, setChangedAt] = useState(0);
  useLive(({ rows, gap }) => {
    if (!gap && !rows.some(({ event }) => event.type === 'evaluation' || event.type === 'trial')) return;
    const now = Date.now();
    if (now - changedAt < everyMs) return;
    setChangedAt(now);
    setVersion(version + 1);
  });
  // Nobody has run the usual attack: show what there is instead of nothing.
  const nothing = items.length === 0 && !state.partial;
  useEffect(() => {
    if (nothing) fallBack?.();
  });
  const toggle = (id: string) =>
    setChosen(
      chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-maxChosen),
    );

  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Leaderboard</h1>
          <p className="muted">
            {query.sweep === undefined
              ? 'Which runs are the most robust, over all sweeps.'
              : 'Which runs of this sweep are the most robust.'}{' '}
            A number whose checks found masked gradients is marked, and ranks where you say.
          </p>
        </div>
        <div className="page-head-actions">
          {chosen.length >= 2 ? (
            <a className="button" data-kind="primary" href={href(['compare'], { trials: chosen.join(',') })}>
              Compare {chosen.length} trials
            </a>
          ) : (
            <span className="muted small">Tick two to six rows to compare them.</span>
          )}
        </div>
      </header>
      <section className="panel" aria-label="Ranked runs">
        <LeaderboardFilters query={query} set={set} />
        <RankedBy items={items} query={query} />
        {state.error === undefined ? null : (
          <div className="panel-body">
            <ErrorNotice error={state.error} retry={() => void list.more()} />
          </div>
        )}
        {items.length === 0 && !state.partial ? (
          <NoRuns filtered={isFiltered(query)} onReset={reset} />
        ) : (
          <LeaderboardTable
            items={items}
            state={state}
            more={list.more}
            query={query}
            chosen={chosen}
            onToggle={toggle}
          />
        )}
      </section>
    </>
  );
};

/** Over all sweeps, or of the one that the address names, which says what it is ranked by. */
export const LeaderboardView = () => {
  const sweep = useLocation().query.get('sweep');
  const { data, error } = useQuery(sweep === null ? null : sweepQuery(sweep));
  if (sweep !== null && !data && error === undefined) return <Skeleton height={480} />;
  return <Board definition={data?.definition} />;
};
