import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { SeriesMark } from '../../charts/marks.tsx';
import { Panel } from '../../components/controls.tsx';
import { useMedia } from '../../components/hooks.ts';
import { SpacerRow, useScrolledRows } from '../../components/virtual-rows.tsx';
import { formatCount } from '../../format.ts';
import type { Result } from '../../statistics/objective.ts';
import type { SweepResults } from './sweep-results.tsx';
import { type Column, columnsOf, parseFilter, resultsFirst, sortResults } from './trial-columns.tsx';
import { type Click, clickOn, sortOf } from './trial-sort.ts';

const rowHeight = 35;

/** Arrow keys move the focus to the same control of the next row. */
const moveRow = (event: KeyboardEvent<HTMLElement>) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target instanceof HTMLElement ? event.target.closest('tr') : null;
  if (by === undefined || !row) return;
  const control = [...row.querySelectorAll<HTMLElement>('a, input')].indexOf(event.target as HTMLElement);
  const next = by === 1 ? row.nextElementSibling : row.previousElementSibling;
  const target = next?.querySelectorAll<HTMLElement>('a, input')[control];
  if (!target) return;
  event.preventDefault();
  target.focus();
};

const Row = (props: {
  readonly result: Result;
  readonly columns: readonly Column[];
  readonly place: number;
  readonly index: number;
  readonly onToggle: () => void;
}) => {
  const { result, place } = props;
  return (
    <tr aria-rowindex={props.index + 2} aria-selected={place >= 0}>
      <td style={{ width: 62 }}>
        <label className="check">
          <input
            type="checkbox"
            checked={place >= 0}
            onChange={props.onToggle}
            aria-label={`Choose trial ${result.trial.number}`}
          />
          {place >= 0 ? <SeriesMark colour={place} /> : <span style={{ width: 22 }} />}
        </label>
      </td>
      {props.columns.map((column) => (
        <td key={column.key} className={column.number ? 'number' : undefined}>
          {column.cell(result)}
        </td>
      ))}
    </tr>
  );
};

export const TrialsTable = (props: {
  readonly data: SweepResults;
  /** 1 for rows within the brushes, else 0. */
  readonly active: Uint8Array;
  readonly severalSeeds: boolean;
  /** The number of test images; undefined in a sweep of a very old version. */
  readonly tested: number | undefined;
}) => {
  const { results, hyperparameters, objective, chosen } = props.data;
  const scroller = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [clicked, setClicked] = useState<Click | null>(null);
  const sort = sortOf(clicked, objective);
  const isNarrow = useMedia('(max-width: 720px)');
  const columns = useMemo(() => {
    const all = columnsOf(results, hyperparameters, objective, props.severalSeeds, props.tested);
    return isNarrow ? resultsFirst(all) : all;
  }, [results, hyperparameters, objective, props.severalSeeds, props.tested, isNarrow]);
  const filter = useMemo(() => parseFilter(text, hyperparameters), [text, hyperparameters]);
  const filtered = useMemo(
    () => results.filter((result, row) => props.active[row] !== 0 && (filter.keep?.(result) ?? true)),
    [results, props.active, filter],
  );
  const rows = useMemo(() => {
    const column = columns.find(({ key }) => key === sort.key);
    return column ? sortResults(filtered, column, sort.descending) : filtered;
  }, [filtered, columns, sort.key, sort.descending]);
  const visible = useScrolledRows(scroller, rows.length, rowHeight);
  const click = (column: Column) => setClicked(clickOn(column, sort, objective));

  return (
    <Panel title="Trials" note={`${formatCount(rows.length)} of ${formatCount(results.length)}`} flush>
      <div className="trials-tools">
        <input
          className="input"
          type="search"
          data-search
          aria-label="Filter trials"
          aria-invalid={filter.fault !== null}
          placeholder="Filter: gamma>=5 status:completed value>50%"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {filter.fault === null ? null : <span className="field-error">{filter.fault}</span>}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the focus is on controls inside, and arrow keys move it */}
      <div className="trials-scroll" ref={scroller} onKeyDown={moveRow}>
        <table className="table" data-hover aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              <th scope="col">
                <span className="hidden-visually">Chosen</span>
              </th>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  className={column.number ? 'number' : undefined}
                  aria-sort={
                    sort.key === column.key ? (sort.descending ? 'descending' : 'ascending') : undefined
                  }
                >
                  <button type="button" title={column.description} onClick={() => click(column)}>
                    {column.title}
                    <span aria-hidden="true">
                      {sort.key === column.key ? (sort.descending ? '↓' : '↑') : ''}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <SpacerRow height={visible.before} />
            {rows.slice(visible.first, visible.last).map((result, i) => (
              <Row
                key={result.trial.id}
                result={result}
                columns={columns}
                index={visible.first + i}
                place={chosen.numbers.indexOf(result.trial.number)}
                onToggle={() => chosen.toggle(result.trial.number)}
              />
            ))}
            <SpacerRow height={visible.after} />
          </tbody>
        </table>
        {rows.length === 0 ? <p className="muted panel-body">No trial matches.</p> : null}
      </div>
    </Panel>
  );
};
