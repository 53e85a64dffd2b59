/** All decisions of a search, the newest first: what each proposed, why, and what came of it. */
import type { DecidedSearch, SearchDecision } from '@funnel/contracts';
import { useMemo, useRef } from 'react';
import type { ShownObjective } from '../../charts/search/objective.ts';
import { Panel } from '../../components/controls.tsx';
import { SpacerRow, useScrolledRows } from '../../components/virtual-rows.tsx';
import { formatPoint, plural } from '../../format.ts';
import { href } from '../../router.ts';
import { describeSource, describeStatus, promotionText, sourceTitles, valueText } from './texts.ts';

const rowHeight = 35;

const Row = (props: {
  readonly decision: SearchDecision;
  readonly index: number;
  readonly objectives: readonly ShownObjective[];
  readonly hasRungs: boolean;
  /** The seeds of each unit. */
  readonly seeds: readonly number[];
  readonly search: DecidedSearch;
}) => {
  const { decision, objectives } = props;
  const { number, source, point, rung, trials } = decision;
  const text = point === null ? '–' : formatPoint(point);
  const outcome = describeStatus(decision);
  const why = decision.note ?? describeSource(source, props.search).replaceAll('`', '');
  return (
    <tr aria-rowindex={props.index + 2}>
      <th scope="row" className="number">
        {number}
      </th>
      <td>{sourceTitles[source]}</td>
      <td className="decision-text" title={text}>
        {text}
      </td>
      {props.hasRungs ? <td className="number">{rung ?? '–'}</td> : null}
      {objectives.map((objective) => (
        <td key={objective.place} className="number">
          {valueText(decision, objective)}
        </td>
      ))}
      <td className="decision-text" title={outcome}>
        {outcome}
      </td>
      {props.hasRungs ? <td>{promotionText(decision)}</td> : null}
      <td className="decision-text" title={why}>
        {why}
      </td>
      <td>
        {trials.map((id, place) => (
          <a key={id} href={href(['trials', id])} style={{ marginRight: 8 }}>
            {trials.length === 1 ? 'trial' : `seed ${props.seeds[place]}`}
          </a>
        ))}
      </td>
    </tr>
  );
};

export const DecisionsTable = (props: {
  readonly decisions: readonly SearchDecision[];
  readonly objectives: readonly ShownObjective[];
  readonly hasRungs: boolean;
  /** The seeds of each unit. */
  readonly seeds: readonly number[];
  readonly search: DecidedSearch;
}) => {
  const { decisions, hasRungs } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => [...decisions].reverse(), [decisions]);
  const visible = useScrolledRows(scroller, rows.length, rowHeight);
  const columns = [
    { title: 'Decision', number: true },
    { title: 'Source' },
    { title: 'Point' },
    ...(hasRungs ? [{ title: 'Rung', number: true }] : []),
    ...props.objectives.map(({ title }) => ({ title, number: true })),
    { title: 'Outcome' },
    ...(hasRungs ? [{ title: 'Promoted' }] : []),
    { title: 'Why' },
    { title: 'Trials' },
  ];
  return (
    <Panel title="Decisions" note={plural(decisions.length, 'decision')} flush>
      <div className="trials-scroll" ref={scroller}>
        <table className="table decisions" data-hover aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {columns.map(({ title, number }) => (
                <th key={title} scope="col" className={number ? 'number' : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <SpacerRow height={visible.before} />
            {rows.slice(visible.first, visible.last).map((decision, i) => (
              <Row
                key={decision.number}
                decision={decision}
                index={visible.first + i}
                objectives={props.objectives}
                hasRungs={hasRungs}
                seeds={props.seeds}
                search={props.search}
              />
            ))}
            <SpacerRow height={visible.after} />
          </tbody>
        </table>
        {rows.length === 0 ? <p className="muted panel-body">No decision has been made yet.</p> : null}
      </div>
    </Panel>
  );
};
