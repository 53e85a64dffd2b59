/**
 * Plans and submits a sweep, and computes how much work that is.
 *
 * `sizeOf` computes the work in closed form from the definition, without making any trial, value or attack. From its answer, planning.ts
 * decides whether to plan on the event loop or in a planning process. Both use `createPlanner`. A planner counts the stages before it expands
 * the definition, and writes nothing before the definition is expanded.
 */
import { createHash } from 'node:crypto';
import {
  AppError,
  attacksOf,
  budgetsOfChoice,
  canonicalJson,
  type Dimension,
  defaultLimits,
  expandAttacks,
  fixedLimit,
  isDecided,
  isRange,
  type Known,
  type Plan,
  type PlannedSearch,
  presetAttacks,
  type Recipe,
  recipes,
  type ServiceLimits,
  type SweepDefinition,
  type SweepLimits,
  type VersionChange,
} from '@funnel/contracts';
import {
  type Author,
  actingAs,
  type Db,
  knownChains,
  readSpeeds,
  readTurn,
  type Submitted,
  submitSweep,
  type Ticket,
} from '@funnel/db';
import {
  buildPlan,
  countPlan,
  countTrials,
  doubtsAbout,
  estimate,
  type Outline,
  outlineSweep,
  timeLeft,
  whatRuns,
} from '@funnel/planner';
import { beginSearch, outlineSearch } from '@funnel/proposer';
import { findMadeAnew } from './made-anew.ts';
import type { Resolved } from './resolve-dataset.ts';
import { resolveNames } from './resolve-names.ts';

/** The number of values of one hyperparameter, with duplicates. A continuous range counts as one. */
const valuesOf = (dimension: Dimension): number => {
  if (Array.isArray(dimension)) return dimension.length;
  if (!isRange(dimension)) return 1;
  const { min, max, step, count } = dimension;
  if (min === max) return 1;
  return count ?? (step === undefined ? 1 : Math.floor((max - min) / step) + 1);
};

/** The number of attacks, with duplicates. */
const countListedAttacks = ({ attacks }: SweepDefinition): number => {
  if ('preset' in attacks) return presetAttacks(attacks.preset).length;
  return attacks.reduce((sum, entry) => sum + attacksOf(entry).length, 0);
};

type Factor = { readonly path: string; readonly values: number };

/** The number of values of each part of the definition. */
const factorsOf = (definition: SweepDefinition): readonly Factor[] => {
  const { space, seeds, recipes } = definition;
  const hyperparameters = Object.entries(space as Readonly<Record<string, Dimension>>);
  return [
    ...hyperparameters.map(([hyperparameter, dimension]) => ({
      path: `space.${hyperparameter}`,
      values: valuesOf(dimension),
    })),
    { path: 'seeds', values: seeds.length },
    { path: 'recipes', values: recipes.length },
    { path: 'attacks', values: countListedAttacks(definition) },
  ];
};

/** The largest factor: the one that the user should make smaller. */
export const largestFactor = (definition: SweepDefinition): Factor => {
  const { search } = definition;
  const draws = search.strategy === 'random' ? [{ path: 'search.trials', values: search.trials }] : [];
  return [...draws, ...factorsOf(definition)].reduce((largest, factor) =>
    factor.values > largest.values ? factor : largest,
  );
};

/** The number of values in the settings of attacks. */
const countSettings = ({ attacks }: SweepDefinition): number => {
  if ('preset' in attacks) return 0;
  return attacks.reduce((sum, entry) => {
    const values = Object.values(entry.settings ?? {}).map((value) =>
      Array.isArray(value) ? value.length : 1,
    );
    return sum + attacksOf(entry).length * values.reduce((total, count) => total + count, 0);
  }, 0);
};

/** The number of values that a random search draws, without repeated draws. */
const countDraws = ({ search, space, seeds }: SweepDefinition, trials: number): number =>
  search.strategy === 'random' ? (trials / new Set(seeds).size) * Object.keys(space).length : 0;

/** The number of values that are written in the definition, without those of ranges. */
const countWritten = ({ space, seeds, recipes }: SweepDefinition): number =>
  Object.values(space as Readonly<Record<string, Dimension>>).reduce<number>(
    (sum, dimension) => sum + (Array.isArray(dimension) ? dimension.length : 1),
    seeds.length + recipes.length,
  );

/** The number of values that planning reads: written values, points of ranges, draws and settings. */
const countValues = (definition: SweepDefinition, trials: number): number =>
  factorsOf(definition).reduce(
    (sum, { values }) => sum + values,
    countSettings(definition) + countDraws(definition, trials),
  );

/** Up to these limits a sweep is small. Planning it takes up to about 20 ms. */
const smallLimits = { values: 1000, stages: 2000 };
/** Up to these limits a sweep is medium. Planning it takes about a second, so it must not wait for a large sweep. */
const mediumLimits = { values: 20_000, stages: 20_000 };

export type Size = 'small' | 'medium' | 'large';

/** Throws SWEEP_TOO_LARGE for more trials or stages than a sweep may have, and the other errors of `countTrials`. */
export const sizeOf = (definition: SweepDefinition): Size => {
  if (countWritten(definition) > mediumLimits.values) return 'large'; // countTrials reads every written value
  const counted = { ...definition, recipes: [...new Set(definition.recipes)] };
  const trials = countTrials(counted);
  const stages = trials * (longestTraining(counted) + countListedAttacks(definition));
  if (stages > maxStages && countListedAttacks(definition) <= smallLimits.values) countStages(definition); // throws unless attacks repeat
  const values = countValues(definition, trials);
  if (values > mediumLimits.values) return 'large';
  if (values <= smallLimits.values && stages <= smallLimits.stages) return 'small';
  return stages <= mediumLimits.stages ? 'medium' : 'large';
};

const maxStages = fixedLimit('stages');

const countAttacks = ({ attacks, dataset }: SweepDefinition): number =>
  expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) }).length;

/** The number of training stages of the longest recipe. */
const longestTraining = ({ recipes: names }: SweepDefinition): number =>
  Math.max(...names.map((name) => (recipes[name] as Recipe).stages.length));

/** The number of stages if trials shared none. Throws SWEEP_TOO_LARGE. */
const countStages = (definition: SweepDefinition): number => {
  const trials = countTrials(definition);
  const attacks = countAttacks(definition);
  const trainingStages = longestTraining(definition);
  const stages = trials * (trainingStages + attacks);
  if (stages > maxStages)
    throw new AppError(
      'SWEEP_TOO_LARGE',
      `Expected at most ${maxStages} stages, but ${trials} trials with ${attacks} attacks each would need up to ${stages}`,
      {
        stages,
        limit: maxStages,
        issues: [
          {
            path: 'attacks',
            expected: `at most ${Math.floor(maxStages / trials) - trainingStages} for ${trials} trials`,
            received: String(attacks),
          },
        ],
      },
    );
  return stages;
};

/** `search`: for a search that decides one configuration after the other. The outline then has random points. */
type Estimated = {
  readonly outline: Outline;
  readonly estimate: NonNullable<Plan['estimate']>;
  readonly doubts: readonly string[];
  readonly search?: PlannedSearch;
};

/** Throws SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
const outlineChecked = ({ definition, engineVersion }: PlanRequest, limits: SweepLimits): Estimated => {
  countStages(definition);
  const outlined: Pick<Estimated, 'outline' | 'search'> = isDecided(definition.search)
    ? outlineSearch(definition, engineVersion)
    : { outline: outlineSweep(definition, engineVersion) };
  return {
    ...outlined,
    estimate: estimate(definition, outlined.outline, limits),
    doubts: doubtsAbout(definition, outlined.outline),
  };
};

/** Of a search beforehand: nobody knows which of its stages exist. */
const nothingKnown: Known = new Map();

type Findings = Pick<Resolved, 'warnings'> &
  Pick<Estimated, 'search'> & {
    readonly estimate: Plan['estimate'];
    readonly madeAnew: VersionChange[];
  };

/** A plan without stages of older versions, or without warnings, does not say so. */
const withFindings = (plan: Plan, { estimate, search, madeAnew, warnings }: Findings): Plan => ({
  ...plan,
  ...(search && { search }),
  ...(madeAnew.length > 0 && { madeAnew }),
  ...(warnings.length > 0 && { warnings: [...warnings] }),
  estimate,
});

export type PlanRequest = { readonly definition: SweepDefinition; readonly engineVersion: string };
/**
 * `client`: the token or address whose share the sweep uses up. (Default: nobody's) `idempotencyKey`: a second request with the same key returns the sweep of the first. `author`: see `actingAs`. (Default: no entry in the
 * audit log) `tags`: those of the new sweep. (Default: none) `ticket`: the stored submission that this carries out.
 */
export type SubmitRequest = PlanRequest & {
  readonly client?: string;
  readonly idempotencyKey?: string;
  readonly author?: Author;
  readonly tags?: readonly string[];
  readonly ticket?: Ticket;
};

export type Planner = {
  /** Throws SWEEP_TOO_LARGE, CONTINUOUS_GRID, DATASET_UNKNOWN, INVALID_REQUEST. */
  readonly plan: (request: PlanRequest) => Promise<Plan>;
  /** Throws the errors of `plan`, IDEMPOTENCY_CONFLICT, TOO_MANY_OWN_SWEEPS and TOO_MANY_OWN_BYTES. */
  readonly submit: (request: SubmitRequest) => Promise<Submitted>;
};

/** The hash of a definition with its defaults: the same for JSON and YAML, and for any order of the keys. */
export const hashBody = (definition: SweepDefinition): string =>
  createHash('sha256').update(canonicalJson(definition)).digest('hex');

export type PlannerOptions = {
  /** Runs the part that a large definition makes slow: counting and expanding. A planning process limits its duration. */
  readonly time?: <T>(compute: () => T) => T;
  /** (Default: `defaultLimits`) */
  readonly limits?: ServiceLimits;
};

export const createPlanner = (
  db: Db,
  { time = (compute) => compute(), limits = defaultLimits }: PlannerOptions = {},
): Planner => ({
  plan: async (request) => {
    const { definition, warnings } = await resolveNames(db, request.definition);
    const { outline, estimate, search, doubts } = time(() =>
      outlineChecked({ ...request, definition }, limits),
    );
    if (search) await beginSearch(db, definition, request.engineVersion); // throws what the submission would throw
    const trained = await knownChains(db, outline.training);
    const attacked = outline.classifiers.filter(({ id }) => trained.existing.has(id));
    const attacks = time(() => attacked.flatMap(outline.attacksOn));
    const evaluated = await knownChains(db, attacks);
    const known = new Map([...trained.known, ...evaluated.known]);
    const madeAnew = await findMadeAnew(db, outline, request.engineVersion);
    const { plan, images } = countPlan(outline, known, attacked);
    const left = timeLeft(images, await readSpeeds(db));
    const whole = withFindings(plan, {
      search,
      madeAnew,
      estimate: { ...estimate, ...left },
      warnings: [...warnings, ...doubts],
    });
    const behind = await readTurn(db, definition.priority);
    return { ...whole, ...(behind && { behind }), runs: whatRuns(definition, outline) };
  },
  submit: async ({ client, author, idempotencyKey: key, tags = [], ticket, ...request }) => {
    const { definition, warnings } = await resolveNames(db, request.definition);
    const { outline, estimate, search, doubts } = time(() =>
      outlineChecked({ ...request, definition }, limits),
    );
    const madeAnew = await findMadeAnew(db, outline, request.engineVersion);
    const findings = { search, madeAnew, warnings: [...warnings, ...doubts] };
    const fleet = await readSpeeds(db);
    const begun = search && (await beginSearch(db, definition, request.engineVersion));
    // A search begins with the trials of its first decision. Its plan counts all.
    const whole = begun && countPlan(outline, nothingKnown, []);
    const stages = time(() => (begun?.outline ?? outline).stages);
    return submitSweep(author ? actingAs(db, author) : db, {
      ...{ definition, stages, tags },
      buildPlan: (known) => {
        const { plan, images, ...rows } = buildPlan(begun?.outline ?? outline, known);
        const counted = whole ?? { plan, images };
        const timed = { ...estimate, ...timeLeft(counted.images, fleet) };
        return { ...rows, plan: withFindings(counted.plan, { ...findings, estimate: timed }) };
      },
      ...(begun && { search: begun.search }),
      ...(key !== undefined && { idempotency: { key, bodyHash: hashBody(request.definition) } }),
      ...(ticket && { ticket }),
      ...(client !== undefined && { share: { client, limits } }),
    });
  },
});
