import { type LeaderboardRow, missedMark, rankedTitle, rankTexts } from '@funnel/contracts';
import { type CSSProperties, useEffect, useMemo, useRef } from 'react';
import { infinityPlace } from '../../charts/marks.tsx';
import { useMedia } from '../../components/hooks.ts';
import { Skeleton } from '../../components/states.tsx';
import { SpacerRow, usePageRows } from '../../components/virtual-rows.tsx';
import type { ListState } from '../../data/paged-list.ts';
import type { BoardQuery } from './leaderboard-query.ts';
import { intervalOf, linesBelowValue, Row, reasonText } from './leaderboard-row.tsx';
import { differing, nameOf } from './run-name.ts';

/** Pixels. On a phone, counts, intervals and the verdict have lines of their own. */
const minHeight = { wide: 62, narrow: 112 };
const lineHeight = 17;
/** The characters of a name that surely fit a line of its column. */
const charactersOf = { wide: 32, narrow: 13 };
/** The tooltip has the rest of a longer name. */
const maxLines = 6;

/** The same of the first reason for a verdict, and of the images that gradients miss. */
const reasonCharacters = 22;

const linesOfLongest = (texts: readonly string[]): number =>
  Math.min(maxLines, Math.ceil(Math.max(0, ...texts.map(({ length }) => length)) / reasonCharacters));

/** The lines of the longest name and of the longest reason, and the height of every row. */
const sizeOfRows = (
  rows: readonly LeaderboardRow[],
  hyperparameters: readonly string[],
  width: keyof typeof minHeight,
) => {
  const longest = Math.max(1, ...rows.map((row) => nameOf(row, hyperparameters).length));
  const lines = Math.min(maxLines, Math.ceil(longest / charactersOf[width]));
  const reasonLines = linesOfLongest(rows.map(reasonText));
  const missedLines = linesOfLongest(rows.map((row) => missedMark(row) ?? ''));
  // Below the name: the data set and the seeds, the same run of another sweep, and what made an older run.
  const below =
    (width === 'narrow' ? 2 : 1) +
    Number(rows.some(({ sameAs }) => sameAs !== undefined)) +
    Number(rows.some(({ older }) => older !== undefined));
  const besideName = Math.max(1, ...rows.map(linesBelowValue)) + (width === 'narrow' ? 4 + missedLines : 1);
  const most = Math.max(lines + below, besideName, 1 + reasonLines + missedLines);
  return {
    lines,
    reasonLines: Math.max(reasonLines, missedLines),
    height: Math.max(minHeight[width], lineHeight * most + 10),
  };
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
  const isNarrow = useMedia('(max-width: 720px)');
  const hyperparameters = useMemo(() => differing(items), [items]);
  const { lines, reasonLines, height } = useMemo(
    () => sizeOfRows(items, hyperparameters, isNarrow ? 'narrow' : 'wide'),
    [items, hyperparameters, isNarrow],
  );
  const visible = usePageRows(body, items.length, height);
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
      <table
        className="table board"
        style={
          {
            '--row-height': `${height}px`,
            '--name-lines': lines,
            '--reason-lines': reasonLines,
          } as CSSProperties
        }
        data-hover
        aria-rowcount={partial ? -1 : items.length + 1}
      >
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
                title="Rows with a letter in common cannot be told apart: McNemar’s exact test on the same images and the means of several seeds, or overlapping 95 % intervals."
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
            <th scope="col" className="board-attack">
              {props.query.attack === undefined ? 'Strongest attack' : 'Attack'}
            </th>
            <th scope="col" className="board-checks">
              Checks
            </th>
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
