/** What the pages draw of a search: its units, the best so far, the way of each configuration up the rungs. */
import { readExtended, type SearchDecision, type SearchPoint } from '@funnel/contracts';

export type Direction = 'max' | 'min';

/** The trials of a configuration at a rung. */
export type Unit = Pick<SearchDecision, 'source' | 'promoted' | 'note' | 'trials'> & {
  readonly decision: number;
  readonly configuration: number;
  readonly point: SearchPoint;
  readonly rung: number;
  /** Null in a search without promotion. */
  readonly epochs: number | null;
  readonly status: SearchDecision['outcome']['status'];
  readonly reason: string | null;
  /** A value for each objective; empty while pending. */
  readonly values: readonly (number | null)[];
};

/** The units of the decisions. An empty place of a bracket has none. */
export const unitsOf = (decisions: readonly SearchDecision[]): readonly Unit[] =>
  decisions.flatMap(({ number, configuration, point, rung, epochs, outcome, ...rest }): Unit[] => {
    if (configuration === null || point === null) return [];
    const { source, promoted, note, trials } = rest;
    const values = outcome.values.map(readExtended);
    return [
      {
        ...{ source, promoted, note, trials, configuration, point, epochs, values },
        ...{ decision: number, rung: rung ?? 0, status: outcome.status, reason: outcome.reason },
      },
    ];
  });

/** The value of an objective; null for a unit that is bad, pending, or without a value. */
export const measuredValue = ({ status, values }: Unit, objective: number): number | null =>
  status === 'measured' ? (values[objective] ?? null) : null;

export const isBetter = (a: number, b: number, direction: Direction): boolean =>
  direction === 'max' ? a > b : a < b;

const countsByRung = (units: readonly Unit[]): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>();
  for (const { rung, status } of units)
    if (status === 'measured') counts.set(rung, (counts.get(rung) ?? 0) + 1);
  return counts;
};

/** The highest rung with a measured unit: units of two rungs had different numbers of epochs, so their values are not compared. */
export const highestRung = (units: readonly Unit[]): number => Math.max(0, ...countsByRung(units).keys());

/** Fewer units say little about a hyperparameter. */
const minUnits = 10;

/** The rung that says most about hyperparameters: the highest with ten measured units, or else the one with the most. */
export const tellingRung = (units: readonly Unit[]): number => {
  const counts = [...countsByRung(units)].sort(([a], [b]) => b - a);
  const enough = counts.find(([, count]) => count >= minUnits);
  if (enough) return enough[0];
  const [rung] = counts.reduce((best, each) => (each[1] > best[1] ? each : best), [0, 0] as const);
  return rung;
};

export type Improvement = { readonly decision: number; readonly value: number };

/** The units of a rung that were better than all earlier ones. */
export const improvementsOf = (
  units: readonly Unit[],
  rung: number,
  objective: number,
  direction: Direction,
): readonly Improvement[] => {
  const improvements: Improvement[] = [];
  for (const unit of units) {
    const value = measuredValue(unit, objective);
    if (unit.rung !== rung || value === null) continue;
    const best = improvements.at(-1);
    if (best === undefined || isBetter(value, best.value, direction))
      improvements.push({ decision: unit.decision, value });
  }
  return improvements;
};

/** A configuration that went from one rung to the next. */
export type Promotion = { readonly from: Unit; readonly to: Unit };

export const promotionsOf = (units: readonly Unit[]): readonly Promotion[] => {
  const keyOf = (configuration: number, rung: number) => `${configuration}/${rung}`;
  const known = new Map(units.map((unit) => [keyOf(unit.configuration, unit.rung), unit]));
  return units.flatMap((to): Promotion[] => {
    const from = known.get(keyOf(to.configuration, to.rung - 1));
    return from ? [{ from, to }] : [];
  });
};

/** The hyperparameters with more than one value, and `recipe`, in the order in which points name them. */
export const varyingNames = (units: readonly Unit[]): readonly string[] => {
  const values = new Map<string, Set<unknown>>();
  for (const { point } of units)
    for (const [name, value] of Object.entries(point))
      values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].filter(([, different]) => different.size > 1).map(([name]) => name);
};
