/** The search of a sweep: what it has decided, and what its outcomes say. */
import { type DecidedSearch, isDecided, objectivesOf, type SearchState, type Trial } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type ShownObjective, shownObjectives } from '../../charts/search/objective.ts';
import { Empty, ErrorNotice, Loaded } from '../../components/states.tsx';
import { searchQuery } from '../../data/queries.ts';
import { keyOfRun, plural } from '../../format.ts';
import { href, navigate, useQueryValue } from '../../router.ts';
import { createObjective, type Objective, type Result, resultOf } from '../../statistics/objective.ts';
import { tellingRung, type Unit, unitsOf, varyingNames } from '../../statistics/search.ts';
import { ChoiceField } from '../new-sweep/fields.tsx';
import { ImportancePanel } from '../sweep/importance-panel.tsx';
import { type SweepTabProps, useSweepTrials } from '../sweep/sweep-results.tsx';
import { DecisionsTable } from './decisions-table.tsx';
import { ContourPanel, SlicesPanel } from './hyperparameter-panels.tsx';
import { FrontPanels, ProgressPanels } from './objective-panels.tsx';
import { useDecisions } from './search-data.ts';
import { SearchFacts } from './search-facts.tsx';
import { searchedPart, variablesOf } from './variables.ts';
import './search.css';

/** The objective of the trials, as the pages of results know it. */
const trialObjective = (sweep: SweepTabProps['sweep'], { place, direction }: ShownObjective): Objective => {
  const { run, metric } = objectivesOf(sweep.definition)[place]!;
  const attack = run ? keyOfRun(run) : '';
  return createObjective(attack, metric, { attack, metric, direction });
};

/** Without an attack, the clean accuracy is that on all test images. A trial below the highest rung may have met no attack. */
const resultFor = (trial: Trial, objective: Objective): Result => {
  const result = resultOf(trial, objective);
  return objective.attack === '' && objective.metric === 'cleanAccuracy'
    ? { ...result, value: trial.cleanAccuracy, interval: null }
    : result;
};

/** The importance of each hyperparameter, over the trials of one rung. */
const Importance = (props: {
  readonly sweep: SweepTabProps['sweep'];
  readonly units: readonly Unit[];
  readonly rung: number;
  readonly objective: ShownObjective;
}) => {
  const { sweep, rung, units } = props;
  const { items } = useSweepTrials(sweep);
  const objective = useMemo(() => trialObjective(sweep, props.objective), [sweep.id, props.objective]);
  const results = useMemo(
    () => items.filter((trial) => (trial.rung ?? 0) === rung).map((trial) => resultFor(trial, objective)),
    [items, rung, objective],
  );
  const active = useMemo(() => new Uint8Array(results.length).fill(1), [results]);
  const hyperparameters = useMemo(() => varyingNames(units).filter((name) => name !== 'recipe'), [units]);
  return (
    <ImportancePanel
      results={results}
      hyperparameters={hyperparameters}
      objective={objective}
      active={active}
    />
  );
};

const Search = (props: SweepTabProps & { readonly search: DecidedSearch; readonly state: SearchState }) => {
  const { sweep, search, state } = props;
  const { items, partial, error } = useDecisions(sweep.id, { all: true });
  const variables = useMemo(() => variablesOf(sweep.definition), [sweep.id]);
  const decisions = useMemo(
    () => items.map(({ point, ...rest }) => ({ ...rest, point: point && searchedPart(variables, point) })),
    [items, variables],
  );
  const units = useMemo(() => unitsOf(decisions), [decisions]);
  const objectives = useMemo(() => shownObjectives(state), [JSON.stringify(state.objectives)]);
  const [place, setPlace] = useState(0);
  const objective = objectives[place]!;
  const [rungText, setRung] = useQueryValue('rung');
  const rung = rungText === undefined ? tellingRung(units) : Number(rungText);
  const ofRung = useMemo(() => units.filter((unit) => unit.rung === rung), [units, rung]);
  const pick = ({ trials: [trial] }: Unit) => trial !== undefined && navigate(href(['trials', trial]));
  return (
    <div className="stack">
      <ErrorNotice error={error} />
      <SearchFacts sweep={sweep} search={search} state={state} units={units} />
      {partial ? <p className="muted small">{plural(items.length, 'decision')} so far.</p> : null}
      {objectives.length > 1 ? (
        <>
          <FrontPanels state={state} units={units} objectives={objectives} onPick={pick} />
          <div className="results-tools">
            <ChoiceField
              title="Objective"
              value={String(place)}
              options={objectives.map(({ title }, at) => ({ value: String(at), title }))}
              error={null}
              onChange={(value) => setPlace(Number(value))}
            />
          </div>
        </>
      ) : null}
      <ProgressPanels state={state} units={units} objective={objective} onPick={pick} />
      {state.rungs.length > 1 ? (
        <div className="results-tools">
          <ChoiceField
            title="Rung of the panels below"
            value={String(rung)}
            options={state.rungs.map(({ epochs, ended }, at) => ({
              value: String(at),
              title: `rung ${at}: ${plural(epochs, 'epoch')}, ${ended} ended`,
            }))}
            error={null}
            onChange={setRung}
          />
        </div>
      ) : null}
      <Importance sweep={sweep} units={ofRung} rung={rung} objective={objective} />
      <SlicesPanel units={ofRung} objective={objective} onPick={pick} />
      <ContourPanel units={ofRung} objective={objective} onPick={pick} />
      <DecisionsTable
        decisions={decisions}
        objectives={objectives}
        hasRungs={state.rungs.length > 0}
        seeds={sweep.definition.seeds}
        search={search}
      />
    </div>
  );
};

export const SearchTab = ({ sweep }: SweepTabProps) => {
  const { search } = sweep.definition;
  const query = useQuery({ ...searchQuery(sweep.id), enabled: isDecided(search) });
  if (!isDecided(search))
    return (
      <Empty title="This sweep has no search that decides">
        <p>All of its trials follow from the sweep file.</p>
      </Empty>
    );
  return (
    <Loaded state={query} height={480}>
      {(state) => <Search sweep={sweep} search={search} state={state} />}
    </Loaded>
  );
};
