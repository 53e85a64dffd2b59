/** The search in the form: every number is still the text that the user typed. */
import {
  type DecidedSearch,
  isDecided,
  isPromoting,
  type Sampler,
  Search,
  type SearchName,
  type SearchPoint,
} from '@funnel/contracts';
import type { z } from 'zod';
import { hyperparameterValueOf, linesOf, listOf, numberOf } from './typed.ts';

const stopRules = ['epochs', 'hours', 'decisionsWithoutImprovement'] as const;
export type StopRule = (typeof stopRules)[number];

/** Fields that the chosen strategy does not have keep their texts, so that they are there again after a change back. */
export type SearchDraft = {
  readonly strategy: SearchName;
  readonly trials: string;
  readonly seed: string;
  readonly parallelism: string;
  readonly order: DecidedSearch['order'];
  readonly sampler: Sampler;
  readonly fidelity: { readonly hyperparameter: string; readonly min: string; readonly max: string };
  readonly eta: string;
  /** A condition on each line. */
  readonly constraints: string;
  readonly masked: DecidedSearch['masked'];
  /** Ids of sweeps, separated by commas. */
  readonly from: string;
  /** A point on each line: `gamma: 5, beta: 0.01`. */
  readonly try: string;
  /** Empty: no such rule. */
  readonly stop: Readonly<Record<StopRule, string>>;
};

export const emptySearch: SearchDraft = {
  strategy: 'grid',
  trials: '20',
  seed: '0',
  parallelism: '4',
  order: 'reproducible',
  sampler: 'tpe',
  fidelity: { hyperparameter: '', min: '1', max: '27' },
  eta: '3',
  constraints: '',
  masked: 'bad',
  from: '',
  try: '',
  stop: { epochs: '', hours: '', decisionsWithoutImprovement: '' },
};

/** The declared fields of a strategy. */
export const searchShape = (strategy: SearchName): Readonly<Record<string, z.ZodType>> =>
  Search.options.find(({ shape }) => shape.strategy.value === strategy)!.shape;

export const isDecidedName = (strategy: SearchName): boolean => 'parallelism' in searchShape(strategy);
export const isPromotingName = (strategy: SearchName): boolean => 'fidelity' in searchShape(strategy);

/** `gamma: 5, beta: 0.01`. */
const pointText = (point: SearchPoint): string =>
  Object.entries(point)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');

/** A name without a colon has no value, and the schema refuses it. */
const pointOf = (line: string): Record<string, unknown> =>
  Object.fromEntries(
    listOf(line).map((part) => {
      const [name = '', ...rest] = part.split(':');
      const text = rest.join(':').trim();
      return [name.trim(), text === '' ? undefined : hyperparameterValueOf(name.trim(), text)];
    }),
  );

const given = (entries: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));

const unless = <V>(value: V, usual: V): V | undefined => (value === usual ? undefined : value);
const listUnlessEmpty = <T>(items: readonly T[]): readonly T[] | undefined =>
  items.length === 0 ? undefined : items;

const stopInput = (stop: SearchDraft['stop']): Record<string, unknown> | undefined => {
  const rules = given(
    Object.fromEntries(
      stopRules.map((rule) => [rule, stop[rule].trim() === '' ? undefined : numberOf(stop[rule])]),
    ),
  );
  return Object.keys(rules).length === 0 ? undefined : rules;
};

/** The field `search` of a sweep file, without its defaults; undefined for a grid. */
export const searchInput = (draft: SearchDraft): Record<string, unknown> | undefined => {
  const { strategy, fidelity, stop } = draft;
  if (strategy === 'grid') return undefined;
  const seed = unless(numberOf(draft.seed), Number(emptySearch.seed));
  const drawn = given({ strategy, trials: numberOf(draft.trials), seed });
  if (!isDecidedName(strategy)) return drawn;
  return given({
    ...drawn,
    parallelism: unless(numberOf(draft.parallelism), Number(emptySearch.parallelism)),
    order: unless(draft.order, emptySearch.order),
    constraints: listUnlessEmpty(linesOf(draft.constraints)),
    masked: unless(draft.masked, emptySearch.masked),
    from: listUnlessEmpty(listOf(draft.from)),
    try: listUnlessEmpty(linesOf(draft.try).map(pointOf)),
    stop: stopInput(stop),
    ...(isPromotingName(strategy) && {
      sampler: unless(draft.sampler, emptySearch.sampler),
      fidelity: {
        hyperparameter: fidelity.hyperparameter,
        min: numberOf(fidelity.min),
        max: numberOf(fidelity.max),
      },
      eta: unless(numberOf(draft.eta), Number(emptySearch.eta)),
    }),
  });
};

/** The draft of a search: the inverse of `searchInput`. */
export const searchDraft = (search: Search): SearchDraft => {
  if (search.strategy === 'grid') return emptySearch;
  const { strategy } = search;
  const drawn = { ...emptySearch, strategy, trials: String(search.trials), seed: String(search.seed) };
  if (!isDecided(search)) return drawn;
  const { order, masked, stop = {} } = search;
  return {
    ...drawn,
    ...{ order, masked, parallelism: String(search.parallelism) },
    // A line break within a condition would make two conditions of it.
    constraints: search.constraints.map((condition) => condition.replace(/\s+/g, ' ')).join('\n'),
    from: (search.from ?? []).join(', '),
    try: (search.try ?? []).map(pointText).join('\n'),
    stop: {
      epochs: String(stop.epochs ?? ''),
      hours: String(stop.hours ?? ''),
      decisionsWithoutImprovement: String(stop.decisionsWithoutImprovement ?? ''),
    },
    ...(isPromoting(search) && {
      sampler: search.sampler,
      fidelity: {
        hyperparameter: search.fidelity.hyperparameter,
        min: String(search.fidelity.min),
        max: String(search.fidelity.max),
      },
      eta: String(search.eta),
    }),
  };
};
