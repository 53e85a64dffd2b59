/** The recipe, data set, seed and hyperparameters in which the compared trials differ. */
import { hyperparameterOf, type TrialDetail } from '@funnel/contracts';
import { useState } from 'react';
import { SeriesMark } from '../../charts/marks.tsx';
import { Panel } from '../../components/controls.tsx';
import { formatHyperparameter, hyperparameterTitle } from '../../format.ts';
import { columnsStyle, trialName } from './compare-row.tsx';

export const CompareSettings = ({
  trials,
  differs,
}: {
  readonly trials: readonly TrialDetail[];
  readonly differs: readonly string[];
}) => {
  const [showAll, setShowAll] = useState(false);
  const rows = [
    { name: 'recipe', title: 'Recipe', cells: trials.map((trial) => trial.recipe as unknown) },
    { name: 'dataset', title: 'Data set', cells: trials.map((trial) => trial.dataset as unknown) },
    { name: 'seed', title: 'Seed', cells: trials.map((trial) => trial.seed as unknown) },
    ...[...new Set(trials.flatMap((trial) => Object.keys(trial.hyperparameters)))].map((name) => ({
      name,
      title: hyperparameterTitle(name),
      cells: trials.map((trial) => hyperparameterOf(trial, name) as unknown),
    })),
  ];
  const isDifferent = (row: (typeof rows)[number]) =>
    differs.includes(row.name) || new Set(row.cells).size > 1;
  const shown = rows.filter((row) => showAll || isDifferent(row));
  return (
    <Panel
      title={showAll ? 'Specification' : 'Differences'}
      actions={
        <label className="check small">
          <input type="checkbox" checked={showAll} onChange={(event) => setShowAll(event.target.checked)} />
          Also show equal values
        </label>
      }
      flush
    >
      {shown.length === 0 ? (
        <p className="muted panel-body">
          There are no differences: recipe, data set, hyperparameters and seed are equal.
        </p>
      ) : null}
      <div className="table-wrap">
        <table className="table compare" style={columnsStyle(trials.length)}>
          {shown.length === 0 ? null : (
            <thead>
              <tr>
                <td />
                {trials.map((trial, i) => (
                  <th key={trial.id} scope="col">
                    <SeriesMark colour={i} /> {trialName(trial, trials)}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {shown.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.title}</th>
                {row.cells.map((value, i) => (
                  <td key={i} style={{ fontWeight: showAll && isDifferent(row) ? 620 : undefined }}>
                    {value === undefined ? (
                      <span className="muted">not used</span>
                    ) : (
                      formatHyperparameter(value)
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
};
