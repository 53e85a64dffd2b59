/** Why the search of a sweep made a trial. */
import type { DecidedSearch, SearchDecision, SweepDetail, TrialDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { shownObjectives } from '../../charts/search/objective.ts';
import { Panel, Prose } from '../../components/controls.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { searchQuery } from '../../data/queries.ts';
import { formatPoint, plural } from '../../format.ts';
import { href } from '../../router.ts';
import { useDecisions } from './search-data.ts';
import { describeSource, outcomeText } from './texts.ts';
import './search.css';

/** The decision with a number. Pages of decisions are fetched until one has it. */
const useDecision = (sweepId: string, number: number) => {
  const { items, partial, loading, error, more } = useDecisions(sweepId, { all: false });
  const found = items.find((decision) => decision.number === number);
  const isMissing = found === undefined && partial && !loading && error === null;
  useEffect(() => {
    if (isMissing) more();
  }, [isMissing, items.length]);
  return { found, error };
};

const Facts = (props: {
  readonly decision: SearchDecision;
  readonly sweep: SweepDetail;
  readonly search: DecidedSearch;
}) => {
  const { decision, sweep, search } = props;
  const { number, configuration, point, rung, epochs, source, note } = decision;
  const { data: state } = useQuery(searchQuery(sweep.id));
  const lines: readonly (readonly [string, string])[] = [
    ['Decision', `${number}: ${describeSource(source, search)}`],
    ...(configuration === null || configuration === number
      ? []
      : [['Proposed by', `decision ${configuration}`] as const]),
    ['Point', point === null ? '–' : formatPoint(point)],
    ...(epochs === null || rung === null ? [] : [['Rung', `${rung}: ${plural(epochs, 'epoch')}`] as const]),
    ['Outcome', state ? outcomeText(decision, shownObjectives(state)) : '–'],
    ...(note === null ? [] : [['Why', note] as const]),
  ];
  return (
    <dl className="decision-facts">
      {lines.map(([title, text]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>
            <Prose text={text} />
          </dd>
        </div>
      ))}
    </dl>
  );
};

export const DecisionPanel = (props: {
  readonly trial: TrialDetail & { readonly decision: number };
  readonly sweep: SweepDetail;
  readonly search: DecidedSearch;
}) => {
  const { trial, sweep, search } = props;
  const { found, error } = useDecision(trial.sweepId, trial.decision);
  return (
    <Panel
      title="Why this trial"
      note="The search of the sweep decided it."
      actions={
        <a className="button" href={href(['sweeps', trial.sweepId, 'search'])}>
          Search
        </a>
      }
    >
      <ErrorNotice error={error} />
      {found ? <Facts decision={found} sweep={sweep} search={search} /> : <Skeleton height={110} />}
    </Panel>
  );
};
