/** Searches in tests: the test decides in place of a strategy. */
import {
  type DecisionSource,
  defaultLimits,
  type SearchPoint,
  type StoredDefinition,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
} from '@funnel/contracts';
import {
  addDecision,
  type Db,
  type Decided,
  type NewDecision,
  type NewUnit,
  submitSweep,
} from '../../src/index.ts';
import { prepared } from './submit.ts';

const space = { initialiseEpochs: 2, classifierEpochs: 1 };

/** Three rungs of `optimiseEpochs`: 1, 3 and 9. */
export const promoting = {
  strategy: 'hyperband',
  trials: 9,
  fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
} as const;

/** A search for γ. */
export const searching = (input: Partial<SweepInput> = {}): StoredDefinition => {
  const search = input.search ?? { strategy: 'tpe', trials: 4 };
  const fixed = 'fidelity' in search ? space : { ...space, optimiseEpochs: 3 };
  return storedDefinition(
    SweepDefinition.parse({
      name: 'search',
      dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
      attacks: [{ attack: 'fgsm', search: false }],
      ...input,
      search,
      space: { gamma: { min: 1, max: 100 }, ...fixed, ...input.space },
    }),
  );
};

/** The trials of one point, as the planner makes them. */
export const unitOf = (sweep: StoredDefinition, point: SearchPoint): NewUnit => {
  const { recipe, ...values } = point;
  return prepared({
    ...sweep,
    ...(recipe !== undefined && { recipes: [recipe as StoredDefinition['recipes'][number]] }),
    search: { strategy: 'grid' },
    space: { ...sweep.space, ...values } as StoredDefinition['space'],
  });
};

/** Epochs of the rungs of `promoting`. */
const rungs = [1, 3, 9];

export type Unit = {
  readonly number: number;
  readonly gamma: number;
  readonly source?: DecisionSource;
  /** Of a search with promotion. */
  readonly rung?: number;
  readonly configuration?: number;
};

const decisionOf = ({
  number,
  gamma,
  source = 'start',
  rung,
  configuration = number,
}: Unit): NewDecision => ({
  number,
  source,
  configuration,
  rung: rung ?? 0,
  epochs: rung === undefined ? null : rungs[rung]!,
  point: { gamma },
  place: null,
  among: null,
  newEpochs: 6,
});

const pointOf = ({ gamma, rung }: Unit): SearchPoint => ({
  gamma,
  ...(rung !== undefined && { optimiseEpochs: rungs[rung]! }),
});

type Submitting = {
  readonly gamma?: number;
  readonly configurations?: number;
  readonly client?: string;
};

/** Submits a search with its decision 0. `stride`: seeds × (three training stages + the attacks). */
export const submitSearch = async (
  db: Db,
  sweep: StoredDefinition,
  { gamma = 5, configurations = 4, client = 'tester' }: Submitting = {},
): Promise<string> => {
  const unit: Unit = { number: 0, gamma, ...('fidelity' in sweep.search && { rung: 0 }) };
  const { stages, buildPlan } = unitOf(sweep, pointOf(unit));
  const attacks = Array.isArray(sweep.attacks) ? sweep.attacks.length : 0;
  const { sweepId } = await submitSweep(db, {
    definition: sweep,
    share: { client, limits: { ...defaultLimits, ownSweeps: 1e6 } },
    stages,
    buildPlan: (known) => {
      const built = buildPlan(known);
      const trials = configurations * sweep.seeds.length;
      return { ...built, plan: { ...built.plan, trials } };
    },
    search: {
      configurations,
      stride: sweep.seeds.length * (3 + attacks),
      varying: new Set(['gamma', ...('fidelity' in sweep.search ? ['optimiseEpochs'] : [])]),
      earlier: [{ point: { gamma: 1 }, outcome: { status: 'bad' } }],
      decision: decisionOf(unit),
    },
  });
  return sweepId;
};

export const decide = (
  db: Db,
  sweepId: string,
  sweep: StoredDefinition,
  unit: Unit,
  options: { readonly handPoint?: boolean } = {},
): Promise<Decided> =>
  addDecision(db, sweepId, { ...decisionOf(unit), unit: unitOf(sweep, pointOf(unit)), ...options });

export const leaveEmpty = (db: Db, sweepId: string, number: number): Promise<Decided> =>
  addDecision(db, sweepId, {
    number,
    source: 'empty',
    configuration: null,
    rung: null,
    epochs: null,
    point: null,
    place: null,
    among: null,
    newEpochs: 0,
    unit: null,
  });
