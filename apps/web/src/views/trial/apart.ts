import type { SweepDetail, TrialDetail } from '@funnel/contracts';
import { formatHyperparameter, hyperparameterTitle } from '../../format.ts';

/** The hyperparameters that the sweep varies, with this trial's values: `γ 5, β 0.02`. */
export const isApart = (trial: TrialDetail, sweep: SweepDetail | undefined): string => {
  const varied = Object.entries(sweep?.definition.space ?? {}).filter(
    ([, dimension]) => typeof dimension === 'object',
  );
  return varied
    .filter(([name]) => name in trial.hyperparameters)
    .map(([name]) => `${hyperparameterTitle(name)} ${formatHyperparameter(trial.hyperparameters[name])}`)
    .join(', ');
};
