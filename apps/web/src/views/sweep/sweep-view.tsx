import { isDecided, type SweepDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { type ComponentType, useState } from 'react';
import { borderNote, TrainingCurves } from '../../charts/training-curves.tsx';
import type { TrialCurves } from '../../charts/training-panels.ts';
import { CopyButton, Panel } from '../../components/controls.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { metricsQuery, sweepQuery, trialQuery, useAnswers } from '../../data/queries.ts';
import { href, useAddressQuery, type ViewProps } from '../../router.ts';
import { definitionYaml, useYaml } from '../../yaml.ts';
import { SearchTab } from '../search/search-tab.tsx';
import { ResultsTab } from './results-tab.tsx';
import { StagesTab } from './stages-tab.tsx';
import { SweepHeader } from './sweep-header.tsx';
import { SweepNotes } from './sweep-notes.tsx';
import {
  ChosenBar,
  ObjectiveTools,
  type SweepResults,
  type SweepTabProps,
  useSweepResults,
} from './sweep-results.tsx';
import { SweepTags } from './sweep-tags.tsx';
import { TrialsTable } from './trials-table.tsx';
import './annotations.css';
import './sweep.css';

const Annotations = ({ sweep }: SweepTabProps) => (
  <section className="sweep-annotations" aria-label="Tags and notes">
    <SweepTags sweep={sweep} />
    <SweepNotes sweep={sweep} />
  </section>
);

const DefinitionTab = ({ sweep }: SweepTabProps) => {
  const text = useYaml(sweep.definition, sweep.id);
  return (
    <Panel
      title="Definition"
      note="The submitted definition, with its defaults."
      actions={<CopyButton title="Copy as YAML" text={() => definitionYaml(sweep.definition)} />}
    >
      {text === null ? (
        <Skeleton height={320} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a long file
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
  const details = useAnswers(chosen.map(({ id }) => trialQuery(id)));
  const known = details.data.filter((trial) => trial !== undefined);
  const metrics = useAnswers(known.map(metricsQuery));
  const trials = known.map(
    (trial, i): TrialCurves => ({
      name: `Trial ${trial.number}`,
      colour: data.chosen.numbers.indexOf(trial.number),
      series: metrics.data[i]?.series ?? [],
    }),
  );
  const recorded = trials.some(({ series }) => series.some(({ epochs }) => epochs.length > 0));
  return (
    <Panel
      title="Training curves"
      note={`Updated after every epoch. ${borderNote(trials)} Trials that share a stage have the same curve there.`}
    >
      <ErrorNotice error={details.error ?? metrics.error} />
      {recorded ? (
        <TrainingCurves trials={trials} />
      ) : details.loading || metrics.loading ? (
        <Skeleton height={360} />
      ) : (
        <p className="muted">No epoch has been recorded yet. The curves appear after the first epoch.</p>
      )}
    </Panel>
  );
};

const TrainingTab = ({ sweep }: SweepTabProps) => {
  const data = useSweepResults(sweep);
  if (data.results.length === 0)
    return data.error === null ? <Skeleton height={480} /> : <ErrorNotice error={data.error} />;
  return (
    <div className="stack">
      {data.measured === 0 ? null : <ObjectiveTools data={data} />}
      <ChosenBar data={data} sweep={sweep} />
      <ChosenCurves data={data} />
      <TrialsTable
        data={data}
        active={new Uint8Array(data.results.length).fill(1)}
        tested={sweep.definition.dataset.test}
        severalSeeds={sweep.definition.seeds.length > 1}
      />
    </div>
  );
};

const tabs: readonly {
  readonly name: string;
  readonly title: string;
  readonly Tab: ComponentType<SweepTabProps>;
  /** Only for a search that decides one configuration after the other. */
  readonly ofSearch?: true;
}[] = [
  { name: 'results', title: 'Results', Tab: ResultsTab },
  { name: 'search', title: 'Search', Tab: SearchTab, ofSearch: true },
  { name: 'training', title: 'Training', Tab: TrainingTab },
  { name: 'stages', title: 'Stages', Tab: StagesTab },
  { name: 'definition', title: 'Definition', Tab: DefinitionTab },
];

/** A running sweep without a completed trial has no results yet, but training curves. */
const openingTab = ({ finishedAt, trials, overview }: SweepDetail): string =>
  finishedAt === null && !trials.completed && !overview?.best ? 'training' : 'results';

const SweepTabs = ({ sweep, name }: { readonly sweep: SweepDetail; readonly name: string | undefined }) => {
  const query = useAddressQuery();
  // Decided once: the tab must not change while somebody reads it.
  const [opening] = useState(() => openingTab(sweep));
  const tab = tabs.find((candidate) => candidate.name === (name ?? opening));
  return (
    <>
      <nav className="tabs" aria-label="Tabs of the sweep">
        {tabs
          .filter(({ ofSearch }) => !ofSearch || isDecided(sweep.definition.search))
          .map((other) => (
            <a
              key={other.name}
              href={href(['sweeps', sweep.id, other.name], Object.fromEntries(query))}
              aria-current={other === tab ? 'page' : undefined}
            >
              {other.title}
            </a>
          ))}
      </nav>
      {tab ? <tab.Tab sweep={sweep} /> : <Empty title="This tab does not exist" />}
    </>
  );
};

export const SweepView = ({ params }: ViewProps) => {
  const { id = '', tab } = params;
  const state = useQuery(sweepQuery(id));
  return (
    <Loaded state={state} height={180}>
      {(sweep) => (
        <>
          <SweepHeader sweep={sweep} />
          <Annotations key={`annotations ${id}`} sweep={sweep} />
          <SweepTabs key={id} sweep={sweep} name={tab} />
        </>
      )}
    </Loaded>
  );
};
