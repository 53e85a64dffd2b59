/**
 * Plans and submits a sweep. A planner counts the stages before it expands the definition (`size-of.ts`), and writes nothing before the definition is
 * expanded.
 */
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  defaultLimits,
  isBuiltIn,
  isDecided,
  type Known,
  type Plan,
  type PlannedSearch,
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
  doubtsAbout,
  estimate,
  networkHyperparameters,
  type Outline,
  outlineSweep,
  timeLeft,
  whatRuns,
} from '@funnel/planner';
import { beginSearch, outlineSearch } from '@funnel/proposer';
import { findMadeAnew } from './made-anew.ts';
import type { Resolved } from './resolve-dataset.ts';
import { resolveNames } from './resolve-names.ts';
import { countStages } from './size-of.ts';
import { issuesBy, together } from './together.ts';

/** `search`: for a search that decides one configuration after the other. The outline then has random points. */
type Estimated = {
  readonly outline: Outline;
  readonly estimate: NonNullable<Plan['estimate']>;
  readonly doubts: readonly string[];
  readonly search?: PlannedSearch;
};

/** Throws SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
export const outlineChecked = (
  { definition, engineVersion }: PlanRequest,
  limits: SweepLimits,
): Estimated => {
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

/** As `resolveNames`. If nobody has a built-in data set, the refusal has the mistakes that the planner finds without it. */
const resolveChecked = (db: Db, request: PlanRequest, limits: SweepLimits): Promise<Resolved> =>
  resolveNames(db, request.definition).catch(async (error: unknown) => {
    const isKnown = isBuiltIn(request.definition.dataset.name);
    throw together(error, isKnown ? await issuesBy(() => outlineChecked(request, limits)) : []);
  });

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
    const { definition, warnings } = await resolveChecked(db, request, limits);
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
    const { plan, tasks } = countPlan(outline, known, attacked);
    const left = timeLeft(tasks, await readSpeeds(db, networkHyperparameters));
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
    const { definition, warnings } = await resolveChecked(db, request, limits);
    const { outline, estimate, search, doubts } = time(() =>
      outlineChecked({ ...request, definition }, limits),
    );
    const madeAnew = await findMadeAnew(db, outline, request.engineVersion);
    const findings = { search, madeAnew, warnings: [...warnings, ...doubts] };
    const fleet = await readSpeeds(db, networkHyperparameters);
    const begun = search && (await beginSearch(db, definition, request.engineVersion));
    // A search begins with the trials of its first decision. Its plan counts all.
    const whole = begun && countPlan(outline, nothingKnown, []);
    const stages = time(() => (begun?.outline ?? outline).stages);
    return submitSweep(author ? actingAs(db, author) : db, {
      ...{ definition, stages, tags },
      buildPlan: (known) => {
        const { plan, tasks, ...rows } = buildPlan(begun?.outline ?? outline, known);
        const counted = whole ?? { plan, tasks };
        const timed = { ...estimate, ...timeLeft(counted.tasks, fleet) };
        return { ...rows, plan: withFindings(counted.plan, { ...findings, estimate: timed }) };
      },
      ...(begun && { search: begun.search }),
      ...(key !== undefined && { idempotency: { key, bodyHash: hashBody(request.definition) } }),
      ...(ticket && { ticket }),
      ...(client !== undefined && { share: { client, limits } }),
    });
  },
});
