import { budgetsOf, normTitles, type TrialDetail } from '@funnel/contracts';
import { RobustnessCurves } from '../../charts/robustness-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { Skeleton } from '../../components/states.tsx';
import { useRobustnessCurves } from '../../data/use-robustness-curves.ts';
import { trialName } from './trial-name.ts';

const Curves = ({
  trials,
  norm,
}: {
  readonly trials: readonly TrialDetail[];
  readonly norm: 'linf' | 'l2';
}) => {
  const named = trials.map((trial, colour) => ({ id: trial.id, name: trialName(trial, trials), colour }));
  const { curves, loading, note } = useRobustnessCurves(named, norm, budgetsOf(trials[0]?.dataset)[norm]);
  return (
    <Panel title={`Robust accuracy over ε, ${normTitles[norm]}`} note={note}>
      {curves.length > 0 ? (
        <div aria-busy={loading}>
          <RobustnessCurves curves={curves} height={280} />
        </div>
      ) : loading ? (
        <Skeleton height={280} />
      ) : (
        <p className="muted" style={{ height: 280 }}>
          None of them has been attacked yet.
        </p>
      )}
    </Panel>
  );
};

export const CompareCurves = ({ trials }: { readonly trials: readonly TrialDetail[] }) => (
  <div className="columns">
    <Curves trials={trials} norm="linf" />
    <Curves trials={trials} norm="l2" />
  </div>
);
