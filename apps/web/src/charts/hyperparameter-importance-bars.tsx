/** How much of the objective's variance each hyperparameter explains, with the level that chance alone reaches. */
import { formatPercent, hyperparameterTitle } from '../format.ts';
import type { Importance } from '../statistics/hyperparameter-importance.ts';
import './hyperparameter-importance-bars.css';

export const HyperparameterImportanceBars = (props: {
  readonly rows: readonly Importance[];
  readonly selected: string | null;
  readonly onSelect: (name: string) => void;
}) => {
  const most = Math.max(0.05, ...props.rows.map(({ importance, chance }) => Math.max(importance, chance)));
  const share = (value: number) => `${(100 * Math.max(0, value)) / most}%`;
  return (
    <ul className="importance">
      {props.rows.map(({ name, importance, chance }) => (
        <li key={name}>
          <button type="button" aria-pressed={name === props.selected} onClick={() => props.onSelect(name)}>
            <span className="importance-name">{hyperparameterTitle(name)}</span>
            <span
              className="importance-track"
              title={`Chance alone reaches ${formatPercent(chance)} in one of twenty shuffles`}
            >
              <span
                className="importance-bar"
                data-real={importance > chance ? '' : undefined}
                style={{ width: share(importance) }}
              />
              <span className="importance-chance" style={{ left: share(chance) }} />
            </span>
            <span className="number">{formatPercent(importance)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
};
