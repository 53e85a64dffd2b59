/**
 * A search with made-up outcomes. The decisions are those that `@funnel/search` makes on them. The outcome of a unit is the mean over its
 * trials of the values that the fake results have.
 */
import {
  attacks,
  budgetsOfChoice,
  type DecidedSearch,
  evaluationMetrics,
  expandAttacks,
  isPromoting,
  listObjectives,
  objectivesOf,
  type PlannedTrial,
  type RecipeName,
  type SearchDecision,
  type SearchPoint,
  type SearchState,
  type StoredDefinition,
  type SweepPlan,
  wilsonInterval,
  writeExtended,
} from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { hypervolume, rungsOf, type Search, simulateSearch, spaceOf } from '@funnel/search';
import { uniformOf } from './digits.ts';
import { valueOfPoint } from './results.ts';

/** A decision with its trials. `values`: of each objective; null for a bad unit. */
type FakeUnit = {
  readonly number: number;
  readonly configuration: number;
  readonly point: SearchPoint;
  readonly rung: number;
  readonly epochs: number | null;
  readonly planned: readonly PlannedTrial[];
  readonly values: readonly number[] | null;
};

export type FakeSearch = {
  readonly search: DecidedSearch;
  readonly configurations: number;
  /** All decisions that the search makes in the end; null for an empty place. */
  readonly units: readonly (FakeUnit | null)[];
  readonly plans: readonly SweepPlan[];
  readonly waitingPoints: SearchPoint[];
};

/** The trials of one point at one rung, as the planner makes them. */
const planUnit = (definition: StoredDefinition, point: SearchPoint, epochs: number | null): SweepPlan => {
  const { search, recipes, dataset } = definition;
  const { recipe = recipes[0]!, ...space } = point;
  const fidelity = 'fidelity' in search ? { [search.fidelity.hyperparameter]: epochs! } : {};
  return buildPlan(
    outlineSweep(
      {
        ...definition,
        dataset,
        recipes: [recipe as RecipeName],
        space: { ...space, ...fidelity } as StoredDefinition['space'],
        search: { strategy: 'grid' },
      },
      'fake-1',
    ),
    new Map(),
  );
};

const epochsOf = (search: DecidedSearch): readonly number[] =>
  isPromoting(search) ? rungsOf({ ...search.fidelity, eta: search.eta }) : [];

const searchOf = (definition: StoredDefinition, search: DecidedSearch): Search => ({
  space: spaceOf(definition),
  strategy: isPromoting(search) ? search.sampler : search.strategy,
  objectives: Math.max(1, listObjectives(definition.objective).length),
  ...{ seed: search.seed, parallelism: search.parallelism, order: search.order },
  ...{ earlier: [], tryFirst: search.try ?? [], handPoints: [], stop: {} },
  promotion: isPromoting(search)
    ? { rule: search.strategy, fidelity: { ...search.fidelity, eta: search.eta } }
    : null,
});

export const fakeSearch = (
  definition: StoredDefinition,
  search: DecidedSearch,
  configurations: number = search.trials,
): FakeSearch => {
  const rungs = epochsOf(search);
  const objectives = objectivesOf(definition);
  const runs = expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) });
  const plans = new Map<string, SweepPlan>();
  const keyOf = (point: SearchPoint, rung: number) => JSON.stringify([point, rung]);
  const planOf = (point: SearchPoint, rung: number): SweepPlan => {
    const key = keyOf(point, rung);
    const plan = plans.get(key) ?? planUnit(definition, point, rungs[rung] ?? null);
    plans.set(key, plan);
    return plan;
  };
  const isBad = (point: SearchPoint) => uniformOf(`bad/${JSON.stringify(point)}`) > 0.93;
  const valuesOf = (point: SearchPoint, rung: number): readonly number[] =>
    objectives.map(({ run, metric }) => {
      const values = planOf(point, rung).trials.map((trial) => valueOfPoint(trial, runs, run, metric));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
  const decisions = simulateSearch(searchOf(definition, search), configurations, ({ point, rung }) =>
    isBad(point)
      ? { status: 'bad' }
      : {
          status: 'measured',
          utilities: valuesOf(point, rung).map((value, i) =>
            objectives[i]!.direction === 'max' ? value : -value,
          ),
        },
  );
  let trials = 0;
  const units = decisions.map((decision, number): FakeUnit | null => {
    if (decision.kind === 'empty') return null;
    const { point, rung, configuration } = decision;
    const planned = planOf(point, rung).trials.map((trial) => ({ ...trial, number: trials++ }));
    const values = isBad(point) ? null : valuesOf(point, rung);
    return { number, configuration, point, rung, epochs: rungs[rung] ?? null, planned, values };
  });
  return {
    ...{ search, configurations, units, waitingPoints: [] },
    plans: decisions.flatMap((decision) =>
      decision.kind === 'unit' ? [planOf(decision.point, decision.rung)] : [],
    ),
  };
};

/** The decisions that are made when these trials have ended: all before the first pending one, and `parallelism` from there on. */
export const madeOf = (fake: FakeSearch, hasEnded: (trial: number) => boolean): number => {
  const open = fake.units.findIndex((unit) => unit?.planned.some(({ number }) => !hasEnded(number)));
  return open < 0 ? fake.units.length : Math.min(fake.units.length, open + fake.search.parallelism);
};

export const unitOfTrial = (fake: FakeSearch, trial: number): FakeUnit | undefined =>
  fake.units.find((unit) => unit?.planned.some(({ number }) => number === trial)) ?? undefined;

export const decisionsOf = (
  fake: FakeSearch,
  sweepId: string,
  hasEnded: (trial: number) => boolean,
): readonly SearchDecision[] => {
  const made = madeOf(fake, hasEnded);
  const top = Math.max(0, epochsOf(fake.search).length - 1);
  const decidedAt = '2026-11-20T10:00:00Z';
  return fake.units.slice(0, made).map((unit, number): SearchDecision => {
    if (unit === null)
      return {
        ...{
          number,
          source: 'empty',
          configuration: null,
          point: null,
          rung: null,
          epochs: null,
          trials: [],
        },
        ...{ outcome: { status: 'bad', values: [], reason: null }, promoted: null, decidedAt },
        note: 'No good configuration was left to promote.',
      };
    const { configuration, point, rung, epochs, planned, values } = unit;
    const isPending = planned.some((trial) => !hasEnded(trial.number));
    const goesOn = fake.units
      .slice(0, made)
      .some((other) => other?.configuration === configuration && other.rung === rung + 1);
    const peers = fake.units.slice(0, made).filter((other) => other?.rung === rung);
    const place = 1 + peers.filter((other) => (other?.values?.[0] ?? -1) > (values?.[0] ?? -1)).length;
    const promoted =
      rung === top || isPending ? null : goesOn ? true : made === fake.units.length ? false : null;
    return {
      ...{ number, configuration, point, epochs, promoted, decidedAt },
      rung: epochs === null ? null : rung,
      source: configuration !== number ? 'promotion' : number < 10 ? 'start' : 'strategy',
      trials: planned.map((trial) => `${sweepId}.${trial.number}`),
      outcome: isPending
        ? { status: 'pending', values: [], reason: null }
        : values === null
          ? { status: 'bad', values: [null], reason: 'cleanAccuracy >= 0.95 does not hold: 0.912' }
          : { status: 'measured', values: values.map(writeExtended), reason: null },
      note:
        top > 0 && !isPending
          ? `${place}th of ${peers.length} at rung ${rung}; the best third ${promoted ? 'went' : 'goes'} on.`
          : null,
    };
  });
};

export const stateOf = (
  fake: FakeSearch,
  definition: StoredDefinition,
  sweepId: string,
  hasEnded: (trial: number) => boolean,
): SearchState => {
  const decisions = decisionsOf(fake, sweepId, hasEnded);
  const objectives = objectivesOf(definition);
  const signs = objectives.map(({ direction }) => (direction === 'max' ? 1 : -1));
  const measured = decisions.filter(({ outcome }) => outcome.status === 'measured');
  const highest = Math.max(0, ...measured.map(({ rung }) => rung ?? 0));
  const compared = measured
    .filter(({ rung }) => (rung ?? 0) === highest)
    .map(({ number, outcome }) => ({
      ...{ decision: number, values: outcome.values.map((value) => value!) },
      utilities: outcome.values.map((value, i) => signs[i]! * Number(value)),
    }));
  const isBeaten = (by: readonly number[], one: readonly number[]) =>
    by.every((utility, i) => utility >= one[i]!) && by.some((utility, i) => utility > one[i]!);
  const front = compared.filter(
    ({ utilities }) => !compared.some((other) => isBeaten(other.utilities, utilities)),
  );
  const [best] = [...compared].sort((a, b) => b.utilities[0]! - a.utilities[0]!);
  const worst = objectives.map((_, i) => Math.min(...compared.map(({ utilities }) => utilities[i]!)));
  const volumes = compared.map((_, i) =>
    hypervolume(
      compared.slice(0, i + 1).map(({ utilities }) => utilities),
      worst,
    ),
  );
  const overDecisions = compared.flatMap(({ decision }, i) =>
    volumes[i]! > (volumes[i - 1] ?? 0) ? [{ decision, value: volumes[i]! }] : [],
  );
  const isEnded =
    decisions.length === fake.units.length && decisions.every(({ outcome }) => outcome.status !== 'pending');
  return {
    sweepId,
    ended: isEnded ? 'trials' : null,
    configurations: fake.configurations,
    proposed: decisions.filter(({ number, configuration }) => number === configuration).length,
    decisions: decisions.length,
    rungs: epochsOf(fake.search).map((epochs, rung) => {
      const units = decisions.filter((decision) => decision.rung === rung);
      return {
        ...{ epochs, units: units.length },
        ended: units.filter(({ outcome }) => outcome.status !== 'pending').length,
      };
    }),
    objectives: objectives.map(({ run, metric, direction }) => ({
      ...{
        title: `${evaluationMetrics[metric].title}${run ? ` under ${attacks[run.attack].title}` : ''}`,
        attack: run?.attack ?? null,
        metric,
        direction,
      },
    })),
    ...{ earlier: 0, waitingPoints: fake.waitingPoints },
    best:
      objectives.length === 1 && best
        ? {
            ...{ decision: best.decision, values: best.values, verdict: 'suspect' },
            evidence: [
              {
                interval: wilsonInterval(Math.round(Number(best.values[0]) * 200), 200),
                images: 200,
                seeds: 1,
              },
            ],
          }
        : null,
    front: objectives.length > 1 ? front.map(({ decision, values }) => ({ decision, values })) : [],
    hypervolume:
      objectives.length > 1 && compared.length > 0
        ? { reference: worst.map((utility, i) => signs[i]! * utility), overDecisions }
        : null,
  };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The trials and stages of all decisions. */
export const planOfSearch = (fake: FakeSearch): SweepPlan => {
  const { plans, search, units, configurations } = fake;
  const trials = units.flatMap((unit) => unit?.planned ?? []);
  const stages = [
    ...new Map(plans.flatMap((plan) => plan.stages.map((stage) => [stage.id, stage]))).values(),
  ];
  const lengths = new Map<string, number>();
  for (const { chain, epochs } of stages) lengths.set(chain, Math.max(epochs, lengths.get(chain) ?? 0));
  const needed = sum([...lengths.values()]);
  const unshared = sum(plans.map(({ plan }) => plan.epochs.unshared));
  const kinds = ['initialise', 'optimise', 'classify', 'attack'] as const;
  const epochs = epochsOf(search);
  const atRung = (rung: number) => units.filter((unit) => unit?.rung === rung).length;
  return {
    ...{ trials, stages },
    plan: {
      trials: trials.length,
      stages: Object.fromEntries(
        kinds.map((kind) => [
          kind,
          { total: stages.filter((stage) => stage.kind === kind).length, cached: 0 },
        ]),
      ) as SweepPlan['plan']['stages'],
      epochs: { unshared, needed, cached: 0 },
      sharing: unshared / Math.max(1, needed),
      search: {
        ...{ configurations, decisions: units.length, epochsAtMost: needed },
        rungs: epochs.map((length, rung) => ({ epochs: length, units: atRung(rung) })),
        epochsWithoutPromotion: epochs.length > 0 ? 3 * needed : null,
        notes: epochs.length > 0 ? ['The last bracket is cut short, so it promotes nothing.'] : [],
      },
    },
  };
};
