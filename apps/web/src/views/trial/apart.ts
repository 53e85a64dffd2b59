import type { SweepDetail, TrialDetail } from '@funnel/contracts';
import { formatKnob, knobTitle } from '../../format.ts';

/** The knobs that the sweep varies, with this trial's values: `γ 5, β 0.02`. */
export const isApart = (trial: TrialDetail, sweep: SweepDetail | undefined): string => {
  const varied = Object.entries(sweep?.definition.space ?? {}).filter(
    ([, dimension]) => typeof dimension === 'object',
  );
  return varied
    .filter(([name]) => name in trial.hyperparameters)
    .map(([name]) => `${knobTitle(name)} ${formatKnob(trial.hyperparameters[name])}`)
    .join(', ');
};
