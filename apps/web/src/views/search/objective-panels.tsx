/** The values of a search over its decisions, its rungs, and the Pareto front of several objectives. */
import type { SearchState } from '@funnel/contracts';
import { useMemo, useState } from 'react';
import { BestSoFar } from '../../charts/search/best-so-far.tsx';
import { directionText, type ShownObjective } from '../../charts/search/objective.ts';
import { HypervolumeOverDecisions, ParetoFront } from '../../charts/search/pareto-front.tsx';
import { RungLadder } from '../../charts/search/rung-ladder.tsx';
import { Panel } from '../../components/controls.tsx';
import { formatNumber, inSentence, plural } from '../../format.ts';
import { highestRung, measuredValue, type Unit } from '../../statistics/search.ts';
import { ChoiceField } from '../new-sweep/fields.tsx';

type Pick = (unit: Unit) => void;

export const ProgressPanels = (props: {
  readonly state: SearchState;
  readonly units: readonly Unit[];
  readonly objective: ShownObjective;
  readonly onPick: Pick;
}) => {
  const { state, units, objective, onPick } = props;
  const { rungs } = state;
  const rung = highestRung(units);
  const compared = rungs.length > 1 ? `, of the units at rung ${rung}. Faint: units of other rungs` : '';
  return (
    <div className={rungs.length > 1 ? 'columns' : undefined}>
      <Panel
        title="Best so far"
        note={`The line: the best ${inSentence(objective.title)} (${directionText(objective)}) after each decision${compared}. Crosses: bad units; rings: pending ones.`}
      >
        <BestSoFar units={units} objective={objective} rung={rung} onPick={onPick} />
      </Panel>
      {rungs.length > 1 ? (
        <Panel
          title="Rungs"
          note="A line leads from rung to rung where a configuration was promoted and its training continued; dashed: this unit is pending. Grey: not promoted, or not yet. The text of each point says why."
        >
          <RungLadder units={units} rungs={rungs} objective={objective} onPick={onPick} />
        </Panel>
      ) : null}
    </div>
  );
};

const AxisChoice = (props: {
  readonly title: string;
  readonly objectives: readonly ShownObjective[];
  readonly value: ShownObjective;
  readonly onChange: (objective: ShownObjective) => void;
}) => (
  <ChoiceField
    title={props.title}
    value={String(props.value.place)}
    options={props.objectives.map(({ place, title }) => ({ value: String(place), title }))}
    error={null}
    onChange={(place) => props.onChange(props.objectives[Number(place)]!)}
  />
);

/** For a search with several objectives. */
export const FrontPanels = (props: {
  readonly state: SearchState;
  readonly units: readonly Unit[];
  readonly objectives: readonly ShownObjective[];
  readonly onPick: Pick;
}) => {
  const { state, units, objectives, onPick } = props;
  const [across, setAcross] = useState(objectives[0]!);
  const [up, setUp] = useState(objectives[1]!);
  const front = useMemo(() => new Set(state.front.map(({ decision }) => decision)), [state.front]);
  const rung = units.find(({ decision }) => front.has(decision))?.rung ?? highestRung(units);
  const shown = useMemo(
    () =>
      units.filter(
        (unit) =>
          unit.rung === rung && [across, up].every(({ place }) => measuredValue(unit, place) !== null),
      ),
    [units, rung, across, up],
  );
  const { hypervolume } = state;
  return (
    <div className="columns">
      <Panel
        title="Pareto front"
        note={`${plural(front.size, 'configuration')} that no other beats in all objectives${state.rungs.length > 1 ? `, at rung ${rung}` : ''}. Blue: on the front.`}
        actions={
          objectives.length > 2 ? (
            <>
              <AxisChoice title="Across" objectives={objectives} value={across} onChange={setAcross} />
              <AxisChoice title="Up" objectives={objectives} value={up} onChange={setUp} />
            </>
          ) : undefined
        }
      >
        <ParetoFront
          units={shown}
          front={front}
          objectives={[across, up]}
          isPlane={objectives.length === 2}
          onPick={onPick}
        />
      </Panel>
      <Panel
        title="Hypervolume"
        note={
          hypervolume === null
            ? undefined
            : `The volume that the front dominates, up to ${hypervolume.reference.map(formatNumber).join(', ')}: the worst value of each objective.`
        }
      >
        {hypervolume === null ? (
          <p className="muted" style={{ minHeight: 340 }}>
            There is none before the first configuration is measured.
          </p>
        ) : (
          <HypervolumeOverDecisions volumes={hypervolume.overDecisions} decisions={state.decisions} />
        )}
      </Panel>
    </div>
  );
};
