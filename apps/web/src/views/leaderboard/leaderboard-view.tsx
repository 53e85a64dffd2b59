import {
  attacks,
  betterText,
  evaluationMetrics,
  fewSeedsText,
  type LeaderboardRow,
  lacksLetters,
  missedNote,
  missingText,
  noLettersText,
  notShownText,
  pooledText,
  type RankingNotes,
  rankedTitle,
  readExtended,
  type SweepDefinition,
  singleStepText,
  withinText,
} from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Empty, ErrorNotice, Skeleton } from '../../components/states.tsx';
import { UnfinishedWarmups } from '../../components/unfinished-warmups.tsx';
import { call } from '../../data/api.ts';
import { usePagedList } from '../../data/paged-list.ts';
import { sweepQuery } from '../../data/queries.ts';
import { inSentence, settingsLabel } from '../../format.ts';
import { href, useAddressQuery } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { maxChosen } from '../sweep/sweep-results.tsx';
import { LeaderboardFilters } from './leaderboard-filters.tsx';
import { type BoardQuery, useLeaderboardQuery, worstOfAll } from './leaderboard-query.ts';
import { LeaderboardTable } from './leaderboard-table.tsx';
import './leaderboard.css';

const underWhat = ({ attack }: BoardQuery, items: readonly LeaderboardRow[]): string => {
  if (attack === undefined) {
    const budgets = new Set(items.map(({ within = {}, metric }) => withinText(within, metric)));
    const [within = ''] = budgets;
    if (budgets.size > 1)
      return 'in the worst case over the attacks of each run; the budgets of the attacks differ, so compare only rows of the same sweep';
    const isMixed = new Set(items.map(({ sweepId }) => sweepId)).size > 1;
    return `in the worst case over the attacks of each run${within}${isMixed ? '; a run that met fewer attacks looks more robust, so compare rows of the same sweep' : ''}`;
  }
  const settings = new Set(items.map(settingsLabel));
  if (settings.size > 1)
    return `under ${attacks[attack].title}; its settings differ, so compare only rows with the same settings`;
  const [own = ''] = settings;
  return `under ${attacks[attack].title}${own === '' ? '' : `, ${own}`}`;
};

const rungTexts = {
  highest: ' Each configuration stands at its highest rung, and ranks count within a rung.',
  all: ' All rungs rank together, although a higher rung had more epochs.',
};

/** The trials without results, the best runs by other attacks, and the number of runs that are not shown. */
const Notes = ({
  notes: { missing, notShown, otherBest = [] },
  query,
}: {
  readonly notes: RankingNotes;
  readonly query: BoardQuery;
}) => (
  <>
    {missing ? <p className="muted small">{missingText(missing)}</p> : null}
    {otherBest.map(({ attack, metric, trialId }) => (
      <p key={attack} className="muted small">
        The rankings disagree: by {inSentence(evaluationMetrics[metric].title)} under {attacks[attack].title},{' '}
        <a href={href(['trials', trialId])}>another run</a> of the same sweep is the best.{' '}
        <a href={href(['leaderboard'], { ...(query.sweep && { sweep: query.sweep }), attack })}>Rank by it</a>
        .
      </p>
    ))}
    {notShown && query.attack !== undefined ? (
      <p className="muted small">
        {notShownText(notShown, query.attack)}{' '}
        <a href={href(['leaderboard'], { attack: worstOfAll })}>Rank all runs by their worst case</a>.
      </p>
    ) : null}
  </>
);

/** All runs have the value of the first one. `tellsApart`: a ranking in which their values differ. */
const Tie = ({
  top: { metric, value },
  tellsApart,
}: {
  readonly top: LeaderboardRow;
  readonly tellsApart: RankingNotes['tellsApart'];
}) => {
  const address = useAddressQuery();
  const ranking = tellsApart && { attack: tellsApart.attack ?? worstOfAll, metric: tellsApart.metric };
  return (
    <div className="notice" role="note">
      <p>
        {value === null
          ? 'None of these runs has a value'
          : `All of these runs have ${formatMetric(metric)(readExtended(value)!)}`}
        {tellsApart ? (
          <>
            . Their {inSentence(evaluationMetrics[tellsApart.metric].title)}{' '}
            {tellsApart.attack === undefined
              ? 'in the worst case'
              : `under ${attacks[tellsApart.attack].title}`}{' '}
            differs.{' '}
            <a href={href(['leaderboard'], { ...Object.fromEntries(address), ...ranking })}>Rank by it</a>.
          </>
        ) : (
          ', so they cannot be told apart.'
        )}
      </p>
    </div>
  );
};

/** The metric that ranks the runs, and a notice if all of them have the same value. */
const RankedBy = ({
  items,
  query,
  notes,
}: {
  readonly items: readonly LeaderboardRow[];
  readonly query: BoardQuery;
  readonly notes: RankingNotes;
}) => {
  const [top] = items;
  if (!top || top.metric !== query.metric) return null;
  const title = rankedTitle(query.metric);
  const pooled = pooledText(items);
  const fewSeeds = fewSeedsText(items);
  const single = singleStepText(items);
  const missed = missedNote(items);
  const mixed = new Set(items.map(({ dataset }) => dataset)).size > 1;
  const equal = items.length > 1 && items.every(({ value }) => value === top.value);
  return (
    <div className="board-ranked">
      <p className="muted small">
        Ranked by {inSentence(title)} {underWhat(query, items)}; {betterText(query.metric)}.
        {mixed ? ' The data sets differ: choose one of them to compare its runs.' : ''}
        {items.some(({ rung }) => rung !== undefined) ? rungTexts[query.rungs] : ''}
        {items.some(({ letters }) => letters !== undefined)
          ? ' Rows with a letter in common cannot be told apart.'
          : ''}
        {lacksLetters(items) ? ` ${noLettersText}` : ''}
        {pooled === null ? '' : ` ${pooled}`}
        {fewSeeds === null ? '' : ` ${fewSeeds}`}
        {single === null ? '' : ` ${single}`}
        {missed === null ? '' : ` ${missed}`}
      </p>
      <Notes notes={notes} query={query} />
      <UnfinishedWarmups runs={items} />
      {equal ? <Tie top={top} tellsApart={notes.tellsApart} /> : null}
    </div>
  );
};

/** New results change the ranks. The board is fetched again with at least this pause. */
const everyMs = 5000;

const isFiltered = ({ sweep, tag, dataset, recipe, where }: BoardQuery): boolean =>
  sweep !== undefined || dataset !== undefined || [tag, recipe, where].some(({ length }) => length > 0);

/** `of all sweeps`, `of the sweeps with the tags a, b`. */
const ofWhat = ({ sweep, tag }: BoardQuery): string => {
  if (sweep !== undefined) return 'of this sweep';
  return tag.length === 0
    ? 'of all sweeps'
    : `of the sweeps with the ${tag.length === 1 ? 'tag' : 'tags'} ${tag.join(', ')}`;
};

const NoRuns = ({ filtered, onReset }: { readonly filtered: boolean; readonly onReset: () => void }) =>
  filtered ? (
    <Empty title="No run matches">
      <p>A run appears here once this attack has been measured.</p>
      <button type="button" className="button" onClick={onReset}>
        Show all
      </button>
    </Empty>
  ) : (
    <Empty title="No run has been measured yet">
      <p>A run appears here once its first attack has been measured.</p>
      <a className="button" data-kind="primary" href={href(['new'])}>
        New sweep
      </a>
    </Empty>
  );

const Board = ({ definition }: { readonly definition: SweepDefinition | undefined }) => {
  const { query, set, reset, fallBack } = useLeaderboardQuery(definition);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [notes, setNotes] = useState<RankingNotes>({});
  const { state } = usePagedList<LeaderboardRow>({
    key: ['leaderboard', query],
    load: async (cursor, signal) => {
      const page = await call('leaderboard', { query: { ...query, cursor, limit: 100 } }, signal);
      if (cursor === undefined) setNotes(page);
      return page;
    },
    idOf: (row) => `${row.trialId}/${row.attack}/${JSON.stringify(row.settings)}`,
    affectedBy: (event) => event.type === 'evaluation' || event.type === 'trial',
    minPauseMs: everyMs,
    keepPrevious: true,
  });
  const { items } = state;
  // No run has the first default attack: show the next ranking instead of an empty page.
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
            The most robust runs {ofWhat(query)}. Runs that are masked, untrained or measured on too few
            images are marked, and you choose where they rank.
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
        <LeaderboardFilters query={query} hasRungs={items.some(({ rung }) => rung !== undefined)} set={set} />
        <RankedBy items={items} query={query} notes={notes} />
        {state.error === null ? null : (
          <div className="panel-body">
            <ErrorNotice error={state.error} retry={state.more} />
          </div>
        )}
        {items.length === 0 && !state.partial ? (
          <NoRuns filtered={isFiltered(query)} onReset={reset} />
        ) : (
          <LeaderboardTable state={state} query={query} chosen={chosen} onToggle={toggle} />
        )}
      </section>
    </>
  );
};

/** The leaderboard over all sweeps, or of the sweep that the address names, whose objective is then the default ranking. */
export const LeaderboardView = () => {
  const sweep = useAddressQuery().get('sweep');
  const { data, error } = useQuery({ ...sweepQuery(sweep ?? ''), enabled: sweep !== null });
  if (sweep !== null && !data && error === null) return <Skeleton height={480} />;
  return <Board definition={data?.definition} />;
};
