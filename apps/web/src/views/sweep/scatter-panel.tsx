import { useMemo } from 'react';
import { CleanRobustScatter, type ScatterPoint } from '../../charts/clean-robust-scatter.tsx';
import { Panel } from '../../components/panel.tsx';
import { inSentence } from '../../format.ts';
import type { Objective, Result } from './objective.ts';

export const ScatterPanel = (props: {
  readonly results: readonly Result[];
  readonly active: Uint8Array;
  readonly objective: Objective;
  readonly chosen: readonly number[];
  readonly label: (row: number) => string;
  readonly onPick: (row: number) => void;
}) => {
  const { results, active, objective } = props;
  const chosenKey = props.chosen.join('.');
  // The key says what the list holds.
  const chosen = useMemo(() => props.chosen, [chosenKey]);
  const points = useMemo(
    () =>
      results.flatMap(({ trial, clean, value, interval, masked }, row): ScatterPoint[] =>
        clean === null || value === null
          ? []
          : [
              {
                row,
                x: clean,
                y: value,
                recipe: trial.recipe,
                masked,
                interval,
                active: active[row] === 1,
              },
            ],
      ),
    [results, active],
  );
  return (
    <Panel
      title={`Clean accuracy against ${inSentence(objective.title)}`}
      note="Dashed: the Pareto front of runs without masked gradients. Hollow: masked. Shapes: recipes."
    >
      <CleanRobustScatter
        points={points}
        title={objective.title}
        direction={objective.direction}
        format={objective.format}
        chosen={chosen}
        label={props.label}
        onPick={props.onPick}
      />
    </Panel>
  );
};
