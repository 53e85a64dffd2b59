/** What the search has decided so far, its best, and what users can add to it. */
import {
  type DecidedSearch,
  readExtended,
  type SearchState,
  type SweepDetail,
  searchTitles,
} from '@funnel/contracts';
import { shownObjectives } from '../../charts/search/objective.ts';
import { Verdict } from '../../components/status.tsx';
import { formatCount, formatInterval, formatPoint, inSentence, plural } from '../../format.ts';
import { href } from '../../router.ts';
import type { Unit } from '../../statistics/search.ts';
import { SearchActions } from './search-actions.tsx';
import { describeEnd } from './texts.ts';

const Fact = (props: { readonly title: string; readonly value: string; readonly note?: string }) => (
  <div className="fact">
    <dt>{props.title}</dt>
    <dd>
      {props.value} {props.note === undefined ? null : <small>{props.note}</small>}
    </dd>
  </div>
);

/** The best unit of a search with one objective. */
const Best = ({ state, units }: { readonly state: SearchState; readonly units: readonly Unit[] }) => {
  const [objective] = shownObjectives(state);
  if (state.best === null || objective === undefined) return null;
  const { decision, values, evidence, verdict } = state.best;
  const { interval, images } = evidence?.[0] ?? {};
  const value = readExtended(values[0] ?? null);
  const unit = units.find((each) => each.decision === decision);
  const rung = unit === undefined || unit.epochs === null ? '' : `, rung ${unit.rung}`;
  return (
    <div className="fact search-best">
      <dt>Best {inSentence(objective.title)}</dt>
      <dd>
        {value === null ? '–' : objective.format(value)}{' '}
        <small>
          {interval
            ? `${formatInterval([Number(interval[0]), Number(interval[1])], objective.format)}, `
            : ''}
          {images === undefined ? '' : `${plural(images, 'image')}, `}
          {unit?.trials[0] === undefined ? (
            `decision ${decision}`
          ) : (
            <a href={href(['trials', unit.trials[0]])}>decision {decision}</a>
          )}
          {rung}
          {unit === undefined ? '' : `: ${formatPoint(unit.point)}`}{' '}
          <Verdict verdict={verdict ?? null} brief />
        </small>
      </dd>
    </div>
  );
};

export const SearchFacts = (props: {
  readonly sweep: SweepDetail;
  readonly search: DecidedSearch;
  readonly state: SearchState;
  readonly units: readonly Unit[];
}) => {
  const { sweep, search, state, units } = props;
  const bad = units.filter(({ status }) => status === 'bad').length;
  const pending = units.filter(({ status }) => status === 'pending').length;
  const best = units.find(({ decision }) => decision === (state.best ?? state.front[0])?.decision);
  return (
    <section className="panel search-facts" aria-label="Search">
      <dl className="facts">
        <Fact
          title={searchTitles[search.strategy]}
          value={`${formatCount(state.proposed)} of ${formatCount(state.configurations)}`}
          note="configurations"
        />
        <Fact
          title="Decisions"
          value={formatCount(state.decisions)}
          note={[...(pending > 0 ? [`${formatCount(pending)} pending`] : []), `${formatCount(bad)} bad`].join(
            ', ',
          )}
        />
        {state.earlier === 0 ? null : (
          <Fact title="Learns from" value={formatCount(state.earlier)} note="outcomes of earlier sweeps" />
        )}
        <Best state={state} units={units} />
      </dl>
      <p className="muted sweep-step">
        {describeEnd(state.ended)}
        {state.waitingPoints.length === 0
          ? ''
          : ` ${plural(state.waitingPoints.length, 'point')} that users asked for: ${state.waitingPoints.map(formatPoint).join('; ')}.`}
        {search.order === 'asynchronous'
          ? ' Its order is asynchronous: which trials it has depends on which of them ended first.'
          : ''}
      </p>
      <div className="row">
        <SearchActions sweep={sweep} search={state} start={(best ?? units.at(-1))?.point ?? {}} />
      </div>
    </section>
  );
};
