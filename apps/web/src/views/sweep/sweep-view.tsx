import type { ComponentType } from 'react';
import { TrainingCurves, type TrialCurves } from '../../charts/training-curves.tsx';
import { CopyButton, Panel } from '../../components/controls.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { metricsQuery, sweepQuery, trialQuery, useQueries, useQuery } from '../../data/queries.ts';
import { href, useLocation, type ViewProps } from '../../router.ts';
import { definitionYaml, useYaml } from '../../yaml.ts';
import { ResultsTab } from './results-tab.tsx';
import { StagesTab } from './stages-tab.tsx';
import { SweepHeader } from './sweep-header.tsx';
import {
  ChosenBar,
  ObjectiveTools,
  type SweepResults,
  type SweepTabProps,
  useSweepResults,
} from './sweep-results.tsx';
import { TrialsTable } from './trials-table.tsx';
import './sweep.css';

export const DefinitionTab = ({ sweep }: SweepTabProps) => {
  const text = useYaml(sweep.definition, sweep.id);
  return (
    <Panel
      title="Definition"
      note="As submitted, defaults filled in."
      actions={<CopyButton title="Copy as YAML" text={() => definitionYaml(sweep.definition)} />}
    >
      {text === null ? (
        <Skeleton height={320} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long file is scrolled by keyboard
        <pre className="yaml" tabIndex={0}>
          {text}
        </pre>
      )}
    </Panel>
  );
};

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

const tabs: readonly {
  readonly name: string;
  readonly title: string;
  readonly Tab: ComponentType<SweepTabProps>;
}[] = [
  { name: 'results', title: 'Results', Tab: ResultsTab },
  { name: 'training', title: 'Training', Tab: TrainingTab },
  { name: 'stages', title: 'Stages', Tab: StagesTab },
  { name: 'definition', title: 'Definition', Tab: DefinitionTab },
];

export const SweepView = ({ params }: ViewProps) => {
  const [id = '', name = 'results'] = params;
  const state = useQuery(sweepQuery(id));
  const { query } = useLocation();
  const tab = tabs.find((candidate) => candidate.name === name);
  return (
    <Loaded state={state} height={180}>
      {(sweep) => (
        <>
          <SweepHeader sweep={sweep} />
          <nav className="tabs" aria-label="Parts of the sweep">
            {tabs.map((other) => (
              <a
                key={other.name}
                href={href(['sweeps', id, other.name], Object.fromEntries(query))}
                aria-current={other === tab ? 'page' : undefined}
              >
                {other.title}
              </a>
            ))}
          </nav>
          {tab ? <tab.Tab sweep={sweep} /> : <Empty title="There is no such part of a sweep" />}
        </>
      )}
    </Loaded>
  );
};
