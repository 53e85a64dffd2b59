import { budgetsOf, type DatasetName, normTitles } from '@funnel/contracts';
import { useState } from 'react';
import { RobustnessCurves } from '../../charts/robustness-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { Segmented } from '../../components/segmented.tsx';
import { Skeleton } from '../../components/states.tsx';
import { type CurveTrial, useRobustnessCurves } from '../../data/use-robustness-curves.ts';
import type { SweepResults } from './use-sweep-results.ts';

const norms = [
  { value: 'linf', title: normTitles.linf },
  { value: 'l2', title: normTitles.l2 },
] as const;

export const CurvesPanel = ({
  data,
  dataset,
}: {
  readonly data: SweepResults;
  readonly dataset: DatasetName;
}) => {
  const [norm, setNorm] = useState<'linf' | 'l2'>('linf');
  const trials = data.chosen.numbers.flatMap((number, colour): CurveTrial[] => {
    const found = data.results.find(({ trial }) => trial.number === number);
    return found ? [{ id: found.trial.id, name: `Trial ${number}`, colour }] : [];
  });
  const { curves, loading, note } = useRobustnessCurves(trials, norm, budgetsOf(dataset)[norm]);
  return (
    <Panel
      title="Robust accuracy over ε"
      note={note}
      actions={<Segmented label="Norm" value={norm} options={norms} onChange={setNorm} />}
    >
      {curves.length > 0 ? (
        <div aria-busy={loading}>
          <RobustnessCurves curves={curves} />
        </div>
      ) : loading ? (
        <Skeleton height={340} />
      ) : (
        <p className="muted" style={{ height: 340 }}>
          None of the chosen trials has been attacked yet.
        </p>
      )}
    </Panel>
  );
};
