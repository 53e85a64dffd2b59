/** What the search says about its hyperparameters: each alone, and two of them together. */
import { useMemo, useState } from 'react';
import { Contour } from '../../charts/search/contour.tsx';
import type { ShownObjective } from '../../charts/search/objective.ts';
import { Slices } from '../../charts/search/slices.tsx';
import { Panel } from '../../components/controls.tsx';
import { formatPercent, hyperparameterTitle, inSentence, plural } from '../../format.ts';
import { reach } from '../../statistics/contour.ts';
import { measuredValue, type Unit, varyingNames } from '../../statistics/search.ts';
import { ChoiceField } from '../new-sweep/fields.tsx';

type Props = {
  /** Units of one rung. */
  readonly units: readonly Unit[];
  readonly objective: ShownObjective;
  readonly onPick: (unit: Unit) => void;
};

export const SlicesPanel = (props: Props) => {
  const names = useMemo(() => varyingNames(props.units), [props.units]);
  return (
    <Panel
      title="Slices"
      note={`${props.objective.title} over each hyperparameter. Stronger colours: later decisions. Crosses: bad units.`}
    >
      {names.length === 0 ? (
        <p className="muted">No hyperparameter has two values yet.</p>
      ) : (
        <Slices {...props} names={names} />
      )}
    </Panel>
  );
};

const hasNumber = ({ point }: Unit, name: string): boolean => typeof point[name] === 'number';

/** With more values than this, a hyperparameter counts as continuous. */
const manyValues = 10;

/** The hyperparameters whose values are numbers. Those with few values come last: little can be seen between them. */
const numericNames = (units: readonly Unit[]): readonly string[] => {
  const countOf = (name: string) => Math.min(manyValues, new Set(units.map(({ point }) => point[name])).size);
  return varyingNames(units)
    .filter((name) => units.every((unit) => hasNumber(unit, name) || !(name in unit.point)))
    .sort((a, b) => countOf(b) - countOf(a));
};

/** A surface through fewer points would be an invention. */
const minUnits = 5;

export const ContourPanel = (props: Props) => {
  const { objective } = props;
  const measured = useMemo(
    () => props.units.filter((unit) => measuredValue(unit, objective.place) !== null),
    [props.units, objective],
  );
  const names = useMemo(() => numericNames(measured), [measured]);
  const [picked, setPicked] = useState<readonly [string | null, string | null]>([null, null]);
  const across = names.find((name) => name === picked[0]) ?? names[0];
  const others = names.filter((name) => name !== across);
  const up = others.find((name) => name === picked[1]) ?? others[0];
  // A recipe may not read a hyperparameter.
  const units = useMemo(
    () =>
      measured.filter((unit) => [across, up].every((name) => name !== undefined && hasNumber(unit, name))),
    [measured, across, up],
  );
  const options = (list: readonly string[]) =>
    list.map((value) => ({ value, title: hyperparameterTitle(value) }));
  if (across === undefined || up === undefined || units.length < minUnits)
    return (
      <Panel title="Contour">
        <p className="muted">
          This needs {plural(minUnits, 'measured configuration')} at one rung, and two hyperparameters with
          numbers.
        </p>
      </Panel>
    );
  return (
    <Panel
      title="Contour"
      note={`The mean ${inSentence(objective.title)} of the configurations nearby; stronger colours are better. Empty: no configuration within ${formatPercent(reach, 0)} of the axes. The other hyperparameters vary, too.`}
      actions={
        <>
          <ChoiceField
            title="Across"
            value={across}
            options={options(names)}
            error={null}
            onChange={(name) => setPicked([name, up])}
          />
          <ChoiceField
            title="Up"
            value={up}
            options={options(others)}
            error={null}
            onChange={(name) => setPicked([across, name])}
          />
        </>
      }
    >
      <Contour units={units} names={[across, up]} objective={objective} onPick={props.onPick} />
    </Panel>
  );
};
