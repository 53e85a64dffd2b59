import {
  describeChanges,
  type LeaderboardRow,
  lettersText,
  rankedTitle,
  ranksBelow,
  rankTexts,
  readExtended,
  threatModelText,
  versionText,
} from '@funnel/contracts';
import { useEffect, useMemo, useRef } from 'react';
import { IntervalMark, infinityPlace } from '../../charts/marks.tsx';
import { Skeleton } from '../../components/states.tsx';
import { Verdict } from '../../components/status.tsx';
import { SpacerRow, usePageRows } from '../../components/virtual-rows.tsx';
import type { ListState } from '../../data/paged-list.ts';
import {
  attackTitle,
  formatHyperparameter,
  formatPercent,
  hyperparameterTitle,
  plural,
  settingsLabel,
} from '../../format.ts';
import { href } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import type { BoardQuery } from './leaderboard-query.ts';

const rowHeight = 62;

/** The hyperparameters that differ between the rows. */
const differing = (rows: readonly LeaderboardRow[]): string[] => {
  const seen = new Map<string, Set<unknown>>();
  for (const { hyperparameters } of rows)
    for (const [name, value] of Object.entries(hyperparameters))
      seen.set(name, (seen.get(name) ?? new Set()).add(value));
  // The hyperparameters with the most values come first, because a narrow column cuts off the rest.
  return [...seen]
    .filter(([, values]) => values.size > 1)
    .sort(([, a], [, b]) => b.size - a.size)
    .map(([name]) => name);
};

const seedsText = (seeds: readonly number[]): string =>
  seeds.length === 1 ? `seed ${seeds[0]}` : plural(seeds.length, 'seed');

/** `2 of 3 seeds: ∞`; null without an infinite seed, and for a single seed. */
const infiniteText = ({ seeds, infiniteSeeds = 0 }: LeaderboardRow): string | null =>
  infiniteSeeds > 0 && seeds.length > 1 ? `${infiniteSeeds} of ${seeds.length} seeds: ∞` : null;

/** An end may be infinite. */
const intervalOf = ({ interval }: LeaderboardRow): readonly [number, number] | null =>
  interval && [Number(interval[0]), Number(interval[1])];

/** `fooled 40 of 78; robust 38 of 100` */
const countsText = ({ metric, counts: { images, correct, fooled } }: LeaderboardRow): string => {
  const robust = metric === 'robustAccuracy' ? `; robust ${correct - fooled} of ${images}` : '';
  return `fooled ${fooled} of ${correct}${robust}`;
};

/** The shares of images that a defence rejects: under the attack of the row, and clean. */
const Rejected = ({ row }: { readonly row: LeaderboardRow }) => (
  <td>
    {row.rejectedClean === undefined ? (
      <span className="muted" title="This defence rejects no images.">
        –
      </span>
    ) : (
      <>
        {formatPercent(row.rejectedAttacked)} <span className="muted small">attacked</span>
        <span className="muted small board-settings">{formatPercent(row.rejectedClean)} clean</span>
      </>
    )}
  </td>
);

const Row = (props: {
  readonly row: LeaderboardRow;
  /** `1=` for a shared rank. */
  readonly rank: string;
  readonly index: number;
  readonly hyperparameters: readonly string[];
  readonly range: readonly [number, number];
  readonly rejects: boolean;
  readonly hasLetters: boolean;
  /** Whether the table has a column of rungs, and whether the row is the first of its rung. */
  readonly rungs: boolean;
  readonly startsRung: boolean;
  readonly chosen: boolean;
  readonly onToggle: () => void;
}) => {
  const { row, hyperparameters, range } = props;
  const format = formatMetric(row.metric);
  const infinite = infiniteText(row);
  const own = hyperparameters
    .filter((name) => name in row.hyperparameters)
    .map((name) => `${hyperparameterTitle(name)} ${formatHyperparameter(row.hyperparameters[name])}`)
    .join(', ');
  const value = readExtended(row.value);
  const interval = intervalOf(row);
  return (
    <tr
      aria-rowindex={props.index + 2}
      aria-selected={props.chosen}
      data-starts={props.startsRung ? 'rung' : undefined}
    >
      <td className="number">
        <label className="check">
          <input
            type="checkbox"
            checked={props.chosen}
            onChange={props.onToggle}
            aria-label={
              row.rank === null ? `Choose the run ${row.trialId}` : `Choose the run at rank ${row.rank}`
            }
          />
          {props.rank}
        </label>
      </td>
      {props.rungs ? <td className="number">{row.rung ?? '–'}</td> : null}
      <td className="board-run">
        <a href={href(['trials', row.trialId])} title={own || undefined}>
          {own || row.recipe}
        </a>
        <span className="muted small">
          {row.recipe}, {row.dataset}, {seedsText(row.seeds)},{' '}
          <a href={href(['sweeps', row.sweepId])}>its sweep</a>
        </span>
        {row.older === undefined ? null : (
          <span className="muted small" title={`Made by another version: ${describeChanges(row.older)}`}>
            made by {versionText(row.older)}
          </span>
        )}
      </td>
      <td className="board-value">
        {value === null ? (
          <span
            className="muted"
            title="No value, because no image was attacked, no image was fooled, or no attack has a fixed ε."
          >
            –
          </span>
        ) : (
          <>
            <IntervalMark
              value={value}
              interval={interval}
              low={range[0]}
              high={range[1]}
              hollow={ranksBelow(row.verdict)}
              label={format(value)}
            />
            <span>
              {format(value)}
              {interval === null ? null : (
                <span className="muted" title="95 % interval">
                  {' '}
                  {format(interval[0]).replace('%', '')}–{format(interval[1])}
                </span>
              )}
            </span>
          </>
        )}
        <span className="muted small board-settings">{countsText(row)}</span>
        {infinite === null ? null : (
          <span
            className="muted small board-settings"
            title="Some seeds are infinite, so there is no mean. This value is the median of the seeds."
          >
            {infinite}
          </span>
        )}
      </td>
      {props.hasLetters ? <td>{lettersText(row.letters ?? '')}</td> : null}
      <td className="number">
        {formatPercent(row.cleanAccuracy)}
        {row.cleanInterval === null ? null : (
          <span className="muted small board-settings" title="95 % interval">
            {formatPercent(row.cleanInterval[0]).replace('%', '')}–{formatPercent(row.cleanInterval[1])}
          </span>
        )}
      </td>
      {props.rejects ? <Rejected row={row} /> : null}
      <td>
        {attackTitle(row)}
        <span className="muted small board-settings">
          {row.within === undefined
            ? settingsLabel(row)
            : `within ${threatModelText(row.within) || 'any distance'}`}
        </span>
      </td>
      <td title={row.reasons.join(' ')}>
        <Verdict verdict={row.verdict} />
        <span className="muted small board-settings">{row.reasons[0]}</span>
      </td>
    </tr>
  );
};

export const LeaderboardTable = (props: {
  readonly state: ListState<LeaderboardRow>;
  readonly query: BoardQuery;
  readonly chosen: readonly string[];
  readonly onToggle: (trialId: string) => void;
}) => {
  const { items, partial, loading, more } = props.state;
  const { metric, rungs } = props.query;
  const ranks = useMemo(() => rankTexts(items, rungs), [items, rungs]);
  const body = useRef<HTMLTableSectionElement>(null);
  const visible = usePageRows(body, items.length, rowHeight);
  const hyperparameters = useMemo(() => differing(items), [items]);
  const hasRungs = items.some(({ rung }) => rung !== undefined);
  const hasLetters = items.some(({ letters }) => letters !== undefined);
  const rejects = items.some(({ rejectedClean }) => rejectedClean !== undefined);
  const range = useMemo((): readonly [number, number] => {
    const ends = items.flatMap((row) =>
      row.value === null ? [] : [Number(row.value), ...(intervalOf(row) ?? [])],
    );
    const place = infinityPlace(ends);
    if (place === null) return [0, 1];
    const [low, high] = [place.low, place.infinity ?? place.high];
    return [low, high];
  }, [items]);
  const nearEnd = partial && !loading && visible.last >= items.length - 20;
  // Fetches one more page when the end of the list is near.
  useEffect(() => {
    if (nearEnd && items.length > 0) more();
  }, [nearEnd, items.length]);

  return (
    <div className="table-wrap">
      <table className="table board" data-hover aria-rowcount={partial ? -1 : items.length + 1}>
        <thead>
          <tr>
            <th scope="col" className="number board-rank">
              Rank
            </th>
            {hasRungs ? (
              <th
                scope="col"
                className="number board-rung"
                title="In a search with promotion: 0 is the shortest training."
              >
                Rung
              </th>
            ) : null}
            <th scope="col" className="board-run-head">
              Run
            </th>
            <th scope="col" className="board-value-head">
              {rankedTitle(metric)}
            </th>
            {hasLetters ? (
              <th
                scope="col"
                className="board-letters"
                title="Rows with a letter in common cannot be told apart: McNemar’s exact test on the same images, or overlapping 95 % intervals."
              >
                Letters
              </th>
            ) : null}
            <th scope="col" className="number board-clean" title="On all test images, without an attack.">
              Clean accuracy
            </th>
            {rejects ? (
              <th scope="col" className="board-rejected">
                Rejected
              </th>
            ) : null}
            <th scope="col">Attack</th>
            <th scope="col">Checks</th>
          </tr>
        </thead>
        <tbody ref={body}>
          <SpacerRow height={visible.before} />
          {items.slice(visible.first, visible.last).map((row, i) => (
            <Row
              key={`${row.trialId}/${row.attack}/${row.rank}`}
              row={row}
              rank={ranks[visible.first + i]!}
              index={visible.first + i}
              hyperparameters={hyperparameters}
              range={range}
              rejects={rejects}
              hasLetters={hasLetters}
              rungs={hasRungs}
              startsRung={
                rungs === 'highest' &&
                visible.first + i > 0 &&
                row.rung !== items[visible.first + i - 1]!.rung
              }
              chosen={props.chosen.includes(row.trialId)}
              onToggle={() => props.onToggle(row.trialId)}
            />
          ))}
          <SpacerRow height={visible.after} />
          {items.length === 0
            ? Array.from({ length: 10 }, (_, i) => (
                <tr key={i} className="spacer">
                  <td colSpan={6 + Number(rejects) + Number(hasRungs) + Number(hasLetters)}>
                    <Skeleton height={20} width={`${45 + ((i * 29) % 40)}%`} />
                  </td>
                </tr>
              ))
            : null}
        </tbody>
      </table>
    </div>
  );
};
