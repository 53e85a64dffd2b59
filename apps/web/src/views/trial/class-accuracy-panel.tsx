import { type CleanCounts, type TrialDetail, wilsonInterval } from '@funnel/contracts';
import { useRef } from 'react';
import { Panel } from '../../components/controls.tsx';
import { ValueBar } from '../../components/value-bar.tsx';
import { SpacerRow, useScrolledRows } from '../../components/virtual-rows.tsx';
import { formatCount, formatInterval, formatPercent } from '../../format.ts';

/** In CSS pixels, as in trial.css. */
const rowHeight = 31;

type Counts = { readonly perClass: CleanCounts; readonly classes: readonly string[] };

const ClassTable = ({ perClass: { images, correct }, classes }: Counts) => {
  const scroller = useRef<HTMLDivElement>(null);
  const visible = useScrolledRows(scroller, classes.length, rowHeight);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a long list
    <section className="class-accuracies" ref={scroller} tabIndex={0} aria-label="Classes">
      <table className="table" aria-rowcount={classes.length + 1}>
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Accuracy</th>
            <th scope="col" className="number">
              Interval
            </th>
            <th scope="col" className="number">
              Images
            </th>
          </tr>
        </thead>
        <tbody>
          <SpacerRow height={visible.before} />
          {classes.slice(visible.first, visible.last).map((name, i) => {
            const label = visible.first + i;
            const [right, of] = [correct[label]!, images[label]!];
            const share = of > 0 ? right / of : null;
            return (
              <tr key={name} aria-rowindex={label + 2}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td>
                  <ValueBar share={share ?? 0} label={formatPercent(share)} />
                </td>
                <td className="number muted">
                  {share === null ? '–' : formatInterval(wilsonInterval(right, of))}
                </td>
                <td className="number">
                  {formatCount(right)} of {formatCount(of)}
                </td>
              </tr>
            );
          })}
          <SpacerRow height={visible.after} />
        </tbody>
      </table>
    </section>
  );
};

/** The clean accuracy of each class, in the order of the data set. Shows nothing for a trial without counts. */
export const ClassAccuracyPanel = ({ trial: { perClass, data } }: { readonly trial: TrialDetail }) =>
  perClass === null ? null : (
    <Panel
      title="Accuracy per class"
      note="The share of the test images of each class that the classifier gets right, without an attack, with its 95 % interval."
      flush
    >
      <ClassTable perClass={perClass} classes={data.classes} />
    </Panel>
  );
