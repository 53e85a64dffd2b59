import {
  AttackName,
  DatasetName,
  EvaluationMetricName,
  KnobFilter,
  type LeaderboardQuery,
  RecipeName,
  usualMetricOf,
} from '@funnel/contracts';
import { href, navigate, useLocation } from '../../router.ts';

export type BoardQuery = Omit<LeaderboardQuery, 'limit' | 'cursor'>;

/** The attack that nearly every list has at a fixed ε. The worst over all mixes budgets, so one asks for it by name. */
export const usualAttack: AttackName = 'pgd-linf';
export const worstOfAll = 'worst';

const groups = ['trial', 'configuration'] as const;
const places = ['last', 'equal', 'hide'] as const;
const oneOf = <V extends string>(values: readonly V[], value: string | null): V | undefined =>
  values.find((v) => v === value);

/** What the address asks for; what it spells wrong is left out. */
export const readBoardQuery = (query: URLSearchParams): BoardQuery => {
  const attack =
    query.get('attack') === worstOfAll
      ? undefined
      : (AttackName.safeParse(query.get('attack')).data ?? usualAttack);
  return {
    attack,
    metric: EvaluationMetricName.safeParse(query.get('metric')).data ?? usualMetricOf(attack),
    recipe: query.getAll('recipe').flatMap((name) => RecipeName.safeParse(name).data ?? []),
    dataset: DatasetName.safeParse(query.get('dataset')).data,
    sweep: query.get('sweep') ?? undefined,
    where: (query.get('where') ?? '').split(' ').filter((part) => KnobFilter.safeParse(part).success),
    group: oneOf(groups, query.get('group')) ?? 'configuration',
    masked: oneOf(places, query.get('masked')) ?? 'last',
  };
};

export type SetBoard = (name: keyof BoardQuery, value: string | undefined) => void;

export const useLeaderboardQuery = () => {
  const { query } = useLocation();
  const set: SetBoard = (name, value) => {
    navigate(href(['leaderboard'], { ...Object.fromEntries(query), [name]: value }), { replace: true });
  };
  /** Over all attacks robust accuracy mixes budgets; the smallest distance that any of them found does not. */
  const fallBack = () =>
    navigate(href(['leaderboard'], { attack: worstOfAll, metric: 'medianL2' }), { replace: true });
  const reset = () => navigate(href(['leaderboard']));
  return { query: readBoardQuery(query), set, reset, fallBack, attackIsUsual: !query.has('attack') };
};
