import { TrainingCurves, type TrialCurves } from '../../charts/training-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { metricsQuery, trialQuery } from '../../data/queries.ts';
import { useQueries } from '../../data/use-queries.ts';
import { ChosenBar } from './chosen-bar.tsx';
import { ObjectiveTools } from './objective-tools.tsx';
import type { SweepTabProps } from './tab.ts';
import { TrialsTable } from './trials-table.tsx';
import { type SweepResults, useSweepResults } from './use-sweep-results.ts';

const ChosenCurves = ({ data }: { readonly data: SweepResults }) => {
  const chosen = data.chosen.numbers.flatMap(
    (number) => data.results.find(({ trial }) => trial.number === number)?.trial ?? [],
  );
  const details = useQueries(chosen.map(({ id }) => trialQuery(id)));
  const known = details.flatMap(({ data: trial }) => (trial ? [trial] : []));
  const metrics = useQueries(known.map(metricsQuery));
  const trials = known.map(
    (trial, i): TrialCurves => ({
      name: `Trial ${trial.number}`,
      colour: data.chosen.numbers.indexOf(trial.number),
      series: metrics[i]?.data?.series ?? [],
    }),
  );
  const fault = [...details, ...metrics].find(({ error }) => error !== undefined)?.error;
  const waiting = [...details, ...metrics].some(({ loading }) => loading);
  const recorded = trials.some(({ series }) => series.some(({ epochs }) => epochs.length > 0));
  return (
    <Panel
      title="Training curves"
      note="Every epoch as it is recorded. Dashed line: from initialisation to optimisation. Stages that trials share are the same curve."
    >
      {fault === undefined ? null : <ErrorNotice error={fault} />}
      {recorded ? (
        <TrainingCurves trials={trials} />
      ) : waiting ? (
        <Skeleton height={360} />
      ) : (
        <p className="muted" style={{ minHeight: 360 }}>
          No epoch has been recorded yet.
        </p>
      )}
    </Panel>
  );
};

export const TrainingTab = ({ sweep }: SweepTabProps) => {
  const data = useSweepResults(sweep);
  if (data.results.length === 0)
    return data.error === undefined ? <Skeleton height={480} /> : <ErrorNotice error={data.error} />;
  return (
    <div className="stack">
      <ObjectiveTools data={data} />
      <ChosenBar data={data} sweepId={sweep.id} />
      <ChosenCurves data={data} />
      <TrialsTable
        data={data}
        active={new Uint8Array(data.results.length).fill(1)}
        severalSeeds={sweep.definition.seeds.length > 1}
      />
    </div>
  );
};
