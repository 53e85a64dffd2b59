/** What the leaderboard shows, as its address says. */
import {
  AttackName,
  budgetsOfChoice,
  DatasetSlug,
  EvaluationMetricName,
  expandAttacks,
  HyperparameterFilter,
  type LeaderboardQuery,
  type Ranking,
  RecipeName,
  type SweepDefinition,
  usualMetricAmong,
  usualRankings,
} from '@funnel/contracts';
import { href, navigate, useAddressQuery } from '../../router.ts';
import { readTags } from '../sweeps/tag-filter.tsx';

export type BoardQuery = Omit<LeaderboardQuery, 'limit' | 'cursor'>;

export const worstOfAll = 'worst';

const groups = ['trial', 'configuration'] as const;
const rungs = ['highest', 'all'] as const;
const places = ['last', 'equal', 'hide'] as const;
const oneOf = <V extends string>(values: readonly V[], value: string | null): V | undefined =>
  values.find((v) => v === value);

/** The ranking of the address, or else the default ranking. */
const readRanking = (query: URLSearchParams, definition: SweepDefinition | undefined): Ranking => {
  const [first] = usualRankings(definition);
  const text = query.get('attack');
  const metric = EvaluationMetricName.safeParse(query.get('metric')).data;
  if (text === null) return { attack: first.attack, metric: metric ?? first.metric };
  const attack = text === worstOfAll ? undefined : (AttackName.safeParse(text).data ?? first.attack);
  const runs = definition
    ? expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) })
    : [];
  return { attack, metric: metric ?? usualMetricAmong(runs, attack) };
};

/** The query of the address without its invalid parts. `definition` belongs to the sweep that the address names. */
export const readBoardQuery = (query: URLSearchParams, definition?: SweepDefinition): BoardQuery => ({
  ...readRanking(query, definition),
  recipe: query.getAll('recipe').flatMap((name) => RecipeName.safeParse(name).data ?? []),
  dataset: DatasetSlug.safeParse(query.get('dataset')).data,
  sweep: query.get('sweep') ?? undefined,
  tag: readTags(query.get('tag')),
  where: (query.get('where') ?? '').split(' ').filter((part) => HyperparameterFilter.safeParse(part).success),
  group: oneOf(groups, query.get('group')) ?? 'configuration',
  rungs: oneOf(rungs, query.get('rungs')) ?? 'highest',
  masked: oneOf(places, query.get('masked')) ?? 'last',
});

export type SetBoard = (name: keyof BoardQuery, value: string | undefined) => void;

export const useLeaderboardQuery = (definition: SweepDefinition | undefined) => {
  const query = useAddressQuery();
  const set: SetBoard = (name, value) => {
    navigate(href(['leaderboard'], { ...Object.fromEntries(query), [name]: value }), { replace: true });
  };
  const [, next] = usualRankings(definition);
  /** Switches to the next default ranking, if the first has no runs. Null if the address names a ranking. */
  const fallBack =
    next && !query.has('attack')
      ? () =>
          navigate(
            href(['leaderboard'], { ...Object.fromEntries(query), attack: next.attack ?? worstOfAll }),
            {
              replace: true,
            },
          )
      : null;
  const reset = () => navigate(href(['leaderboard']));
  return { query: readBoardQuery(query, definition), set, reset, fallBack };
};
