import {
  belowText,
  describeBehind,
  formatRoughDuration,
  noBestText,
  readExtended,
  recipes,
  type Sweep,
  statusText,
  timeTaken,
} from '@funnel/contracts';
import { type CSSProperties, useEffect, useRef } from 'react';
import { useMedia } from '../../components/hooks.ts';
import { Skeleton } from '../../components/states.tsx';
import { ProgressBar, Status, Verdict } from '../../components/status.tsx';
import { SpacerRow, usePageRows } from '../../components/virtual-rows.tsx';
import type { ListState } from '../../data/paged-list.ts';
import { formatAgo, formatCount, formatFactor, formatProgress, formatTime, plural } from '../../format.ts';
import { href, navigate } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { describeBest, intervalOfBest, saysNothing, titleOfBest } from './best-configuration.ts';
import { RowTags, type TagFilter } from './tag-filter.tsx';

/** The trials of the sweep, and those that its search will still decide, at most. */
const trialCount = ({ trials, search }: Sweep): number =>
  Object.values(trials).reduce((sum, n) => sum + n, search?.trialsToCome ?? 0);
/** The trials that ended by themselves; cancelled ones do not count. */
const endedCount = ({ trials }: Sweep): number =>
  (trials.completed ?? 0) + (trials.failed ?? 0) + (trials.diverged ?? 0) + (trials.collapsed ?? 0);

const troubles = ['failed', 'diverged', 'collapsed'] as const;
const troubleText = (sweep: Sweep): string =>
  troubles
    .flatMap((status) => (sweep.trials[status] ? [`${formatCount(sweep.trials[status])} ${status}`] : []))
    .join(', ');

const timeText = (sweep: Sweep): string => {
  const taken = timeTaken(sweep);
  if (taken !== null) return `after ${taken}`;
  if (sweep.status !== 'running') return statusText(sweep.status);
  return sweep.etaSeconds === null ? '–' : `${formatRoughDuration(sweep.etaSeconds)} left`;
};

/** The sweeps that workers run before this one. */
const turnText = ({ behind }: Sweep): string => (behind ? describeBehind(behind) : '');

/** The recipes, the data set and the submitter: what tells sweeps with similar names apart. */
const aboutText = ({ overview, id }: Sweep): string =>
  overview
    ? [
        overview.recipes.map((name) => recipes[name].title).join(', '),
        overview.dataset,
        ...(overview.submittedBy === null ? [] : [`by ${overview.submittedBy}`]),
      ].join(' · ')
    : id;

const Best = ({ sweep }: { readonly sweep: Sweep }) => {
  const best = sweep.overview?.best ?? null;
  if (best === null) return <span className="muted">{noBestText(sweep) ?? '–'}</span>;
  const { metric, value, verdict, below } = best;
  const interval = intervalOfBest(best);
  return (
    <span title={describeBest(best)}>
      <span className={saysNothing(best) ? 'muted' : undefined}>
        {formatMetric(metric)(readExtended<never>(value))}
      </span>{' '}
      {interval ? <span className="muted sweeps-interval">{interval}</span> : null}{' '}
      <Verdict verdict={verdict} brief />
      <span className="muted small sweeps-what">{titleOfBest(best)}</span>
      {below ? <span className="muted small sweeps-below">{belowText(below, { isBrief: true })}</span> : null}
    </span>
  );
};

const Row = (props: {
  readonly sweep: Sweep;
  readonly now: number;
  readonly index: number;
  readonly filter: TagFilter;
}) => {
  const { sweep, now, index, filter } = props;
  const { plan } = sweep;
  const address = href(['sweeps', sweep.id]);
  return (
    // Keyboards use the link in the row.
    <tr
      aria-rowindex={index + 2}
      onClick={(event) => (event.target as Element).closest('a') ?? navigate(address)}
    >
      <th scope="row" className="sweeps-name">
        <a className="sweeps-link" href={address} title={sweep.name}>
          {sweep.name}
        </a>
        <div className="sweeps-about">
          <RowTags tags={sweep.tags ?? []} filter={filter} />
          <span className="muted small" title={sweep.id}>
            {[troubleText(sweep), turnText(sweep), aboutText(sweep)]
              .filter((text) => text !== '')
              .join(' · ')}
          </span>
        </div>
      </th>
      <td className="sweeps-status">
        <Status status={sweep.status} />
      </td>
      <td className="sweeps-progress">
        <ProgressBar sweep={sweep} />
        <span className="small muted">{formatProgress(sweep.progress)}</span>
      </td>
      <td className="sweeps-best">
        <Best sweep={sweep} />
      </td>
      <td className="number sweeps-wide">
        {formatCount(endedCount(sweep))} <span className="muted">of {formatCount(trialCount(sweep))}</span>
      </td>
      <td className="number sweeps-time">{timeText(sweep)}</td>
      <td
        className="number sweeps-wide"
        title={`${plural(plan.epochs.needed, 'epoch')} to train instead of ${formatCount(plan.epochs.unshared)}; ${formatCount(plan.epochs.cached)} were already trained or planned by other sweeps.`}
      >
        {plan.epochs.needed === plan.epochs.unshared ? (
          <span className="muted">–</span>
        ) : plan.epochs.needed === 0 ? (
          'all'
        ) : (
          `×${formatFactor(plan.epochs.unshared / plan.epochs.needed)}`
        )}
      </td>
      <td className="number sweeps-wide muted">
        <time dateTime={sweep.createdAt} title={formatTime(sweep.createdAt)}>
          {formatAgo(sweep.createdAt, now)}
        </time>
      </td>
    </tr>
  );
};

/** Pixels of a line about configurations that rank below, and the characters that surely fit it. */
const belowHeight = 16;
const belowCharacters = 34;

/** The lines of the longest text about configurations that rank below. */
const belowLines = (sweeps: readonly Sweep[]): number =>
  sweeps.reduce((most, { overview }) => {
    const below = overview?.best?.below;
    return below
      ? Math.max(most, Math.ceil(belowText(below, { isBrief: true }).length / belowCharacters))
      : most;
  }, 0);

export const SweepsTable = (props: {
  readonly state: ListState<Sweep>;
  readonly now: number;
  readonly filter: TagFilter;
}) => {
  const { items, partial, loading, more } = props.state;
  const body = useRef<HTMLTableSectionElement>(null);
  const isNarrow = useMedia('(max-width: 720px)');
  const height = (isNarrow ? 124 : 57) + belowHeight * belowLines(items);
  const placeholders = partial && items.length === 0 ? 12 : 0;
  const rows = usePageRows(body, items.length, height);
  const nearEnd = partial && !loading && rows.last >= items.length - 20;
  // Fetches one more page when the end of the list is near.
  useEffect(() => {
    if (nearEnd && items.length > 0) more();
  }, [nearEnd, items.length]);

  return (
    <table
      className="table sweeps-table"
      style={{ '--row-height': `${height}px` } as CSSProperties}
      data-hover
      aria-rowcount={partial ? -1 : items.length + 1}
    >
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Status</th>
          <th scope="col">Progress</th>
          <th scope="col">Best so far</th>
          <th scope="col" className="number sweeps-wide">
            Trials
          </th>
          <th scope="col" className="number">
            Time
          </th>
          <th scope="col" className="number sweeps-wide">
            Sharing
          </th>
          <th scope="col" className="number sweeps-wide">
            Created
          </th>
        </tr>
      </thead>
      <tbody ref={body}>
        <SpacerRow height={rows.before} />
        {items.slice(rows.first, rows.last).map((sweep, i) => (
          <Row key={sweep.id} sweep={sweep} now={props.now} index={rows.first + i} filter={props.filter} />
        ))}
        <SpacerRow height={rows.after} />
        {Array.from({ length: placeholders }, (_, i) => (
          <tr key={i} className="spacer">
            <td colSpan={8}>
              <Skeleton height={18} width={`${40 + ((i * 37) % 40)}%`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};
