import type { TrialDetail } from '@funnel/contracts';
import { useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import { SeriesMark } from '../../components/series-mark.tsx';
import { formatHyperparameter, hyperparameterTitle } from '../../format.ts';
import { columnsStyle } from './columns-style.ts';
import { trialName } from './trial-name.ts';

export const CompareSpec = ({
  trials,
  differs,
}: {
  readonly trials: readonly TrialDetail[];
  readonly differs: readonly string[];
}) => {
  const [all, setAll] = useState(false);
  const rows = [
    { name: 'recipe', title: 'Recipe', cells: trials.map((trial) => trial.recipe as unknown) },
    { name: 'dataset', title: 'Data set', cells: trials.map((trial) => trial.dataset as unknown) },
    { name: 'seed', title: 'Seed', cells: trials.map((trial) => trial.seed as unknown) },
    ...[...new Set(trials.flatMap((trial) => Object.keys(trial.hyperparameters)))].map((name) => ({
      name,
      title: hyperparameterTitle(name),
      cells: trials.map((trial) => trial.hyperparameters[name] as unknown),
    })),
  ];
  const apart = (row: (typeof rows)[number]) => differs.includes(row.name) || new Set(row.cells).size > 1;
  const shown = rows.filter((row) => all || apart(row));
  return (
    <Panel
      title={all ? 'Specification' : 'What differs'}
      actions={
        <label className="check small">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          Show what is the same too
        </label>
      }
      flush
    >
      {shown.length === 0 ? (
        <p className="muted panel-body">Nothing: the same recipe, data, hyperparameters and seed.</p>
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
                  <td key={i} style={{ fontWeight: all && apart(row) ? 620 : undefined }}>
                    {value === undefined ? (
                      <span className="muted">not read</span>
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
