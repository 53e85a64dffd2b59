import type { TrialDetail } from '@funnel/contracts';
import { useMemo } from 'react';
import { TrainingCurves } from '../../charts/training-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { Loaded } from '../../components/states.tsx';
import { metricsQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';

export const TrialCurvesPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const state = useQuery(metricsQuery(trial));
  const series = state.data?.series;
  const trials = useMemo(
    () => (series ? [{ name: `Trial ${trial.number}`, colour: 0, series }] : []),
    [series, trial.number],
  );
  const recorded = series?.some(({ epochs }) => epochs.length > 0) ?? false;
  return (
    <Panel title="Training" note="Dashed line: from initialisation to optimisation.">
      <Loaded state={state} height={380}>
        {() =>
          recorded ? (
            <TrainingCurves trials={trials} />
          ) : (
            <p className="muted">No epoch has been recorded yet.</p>
          )
        }
      </Loaded>
    </Panel>
  );
};
