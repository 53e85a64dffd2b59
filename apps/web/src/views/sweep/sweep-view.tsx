import type { ComponentType } from 'react';
import { Empty, Loaded } from '../../components/states.tsx';
import { sweepQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { href, useLocation } from '../../router.ts';
import type { ViewProps } from '../view-props.ts';
import { DefinitionTab } from './definition-tab.tsx';
import { ResultsTab } from './results-tab.tsx';
import { StagesTab } from './stages-tab.tsx';
import { SweepHeader } from './sweep-header.tsx';
import type { SweepTabProps } from './tab.ts';
import { TrainingTab } from './training-tab.tsx';
import './sweep.css';

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
