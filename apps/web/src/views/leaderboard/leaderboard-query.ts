import {
  AttackName,
  DatasetName,
  EvaluationMetricName,
  HyperparameterFilter,
  type LeaderboardQuery,
  type Ranking,
  RecipeName,
  type SweepDefinition,
  usualMetricOf,
  usualRankings,
} from '@funnel/contracts';
import { href, navigate, useLocation } from '../../router.ts';

export type BoardQuery = Omit<LeaderboardQuery, 'limit' | 'cursor'>;

export const worstOfAll = 'worst';

const groups = ['trial', 'configuration'] as const;
const places = ['last', 'equal', 'hide'] as const;
const oneOf = <V extends string>(values: readonly V[], value: string | null): V | undefined =>
  values.find((v) => v === value);

/** What the address says, or else what runs are ranked by unless someone says. */
const readRanking = (query: URLSearchParams, definition: SweepDefinition | undefined): Ranking => {
  const [usual] = usualRankings(definition);
  const text = query.get('attack');
  const metric = EvaluationMetricName.safeParse(query.get('metric')).data;
  if (text === null) return { attack: usual.attack, metric: metric ?? usual.metric };
  const attack = text === worstOfAll ? undefined : (AttackName.safeParse(text).data ?? usual.attack);
  return { attack, metric: metric ?? usualMetricOf(attack) };
};

/** What the address asks for; what it spells wrong is left out. `definition`: of the sweep that it names. */
export const readBoardQuery = (query: URLSearchParams, definition?: SweepDefinition): BoardQuery => ({
  ...readRanking(query, definition),
  recipe: query.getAll('recipe').flatMap((name) => RecipeName.safeParse(name).data ?? []),
  dataset: DatasetName.safeParse(query.get('dataset')).data,
  sweep: query.get('sweep') ?? undefined,
  where: (query.get('where') ?? '').split(' ').filter((part) => HyperparameterFilter.safeParse(part).success),
  group: oneOf(groups, query.get('group')) ?? 'configuration',
  masked: oneOf(places, query.get('masked')) ?? 'last',
});

export type SetBoard = (name: keyof BoardQuery, value: string | undefined) => void;

export const useLeaderboardQuery = (definition: SweepDefinition | undefined) => {
  const { query } = useLocation();
  const set: SetBoard = (name, value) => {
    navigate(href(['leaderboard'], { ...Object.fromEntries(query), [name]: value }), { replace: true });
  };
  const [, next] = usualRankings(definition);
  /** Where nobody says what to rank by, and the first of the usual rankings finds no run: to the next one. */
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
