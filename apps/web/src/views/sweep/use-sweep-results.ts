import { EvaluationMetricName, type SweepDetail, type Trial } from '@funnel/contracts';
import { useDeferredValue, useMemo, useState } from 'react';
import { formatHyperparameter, hyperparameterTitle } from '../../format.ts';
import { useQueryValue } from '../../router.ts';
import { type Chosen, useChosen } from './chosen.ts';
import {
  attackOptions,
  createObjective,
  defaultObjective,
  type Objective,
  type Result,
  resultOf,
  varyingHyperparameters,
  worstCaseTitle,
} from './objective.ts';
import { useTrials } from './use-trials.ts';

export type SweepResults = {
  readonly results: readonly Result[];
  readonly hyperparameters: readonly string[];
  readonly objective: Objective;
  readonly attacks: readonly { readonly key: string; readonly title: string }[];
  /** What stands for the worst case over these. */
  readonly worstCase: string;
  readonly setAttack: (key: string) => void;
  readonly setMetric: (metric: EvaluationMetricName) => void;
  readonly chosen: Chosen;
  /** More trials are still being fetched. */
  readonly partial: boolean;
  readonly error: unknown;
  /** `Trial 17`, and what sets it apart. */
  readonly describe: (trial: Trial) => string;
};

/** While pages come, only every doubling is handed on: drawing everything anew for each of a hundred pages would be a hundred times the work. */
const useDoubling = (items: readonly Trial[], partial: boolean): readonly Trial[] => {
  const [held, setHeld] = useState(items);
  const next = !partial || items.length >= 2 * held.length || held.length === 0 ? items : held;
  if (next !== held) setHeld(next);
  return next;
};

/** The trials of a sweep as its objective judges them, and which of them are looked at closely. */
export const useSweepResults = (sweep: SweepDetail): SweepResults => {
  const { items, partial, error } = useTrials(sweep.id);
  const trials = useDeferredValue(useDoubling(items, partial));
  const [attackText, setAttackText] = useQueryValue('attack');
  const [metricText, setMetric] = useQueryValue('metric');
  // The definition is the same as long as the sweep is; its answer comes anew with every event.
  const attacks = useMemo(() => attackOptions(sweep.definition), [sweep.id]);
  const worstCase = useMemo(() => worstCaseTitle(attacks.map(({ spec }) => spec)), [attacks]);
  const usual = useMemo(() => defaultObjective(sweep.definition), [sweep.id]);
  const attack =
    attackText === 'worst' ? '' : (attacks[Number(attackText ?? Number.NaN)]?.key ?? usual.attack);
  const metric =
    EvaluationMetricName.safeParse(metricText).data ??
    (attackText === undefined ? usual.metric : 'robustAccuracy');
  const objective = useMemo(() => createObjective(attack, metric), [attack, metric]);
  const results = useMemo(() => trials.map((trial) => resultOf(trial, objective)), [trials, objective]);
  const hyperparameters = useMemo(() => varyingHyperparameters(trials), [trials]);
  const chosen = useChosen(results, objective);

  const describe = (trial: Trial) => {
    const own = hyperparameters.filter((name) => name in trial.hyperparameters).slice(0, 4);
    const parts = own.map(
      (name) => `${hyperparameterTitle(name)} ${formatHyperparameter(trial.hyperparameters[name])}`,
    );
    const recipe = sweep.definition.recipes.length > 1 ? [trial.recipe] : [];
    const seed = sweep.definition.seeds.length > 1 ? [`seed ${trial.seed}`] : [];
    return [...recipe, ...parts, ...seed].join(', ');
  };
  const setAttack = (key: string) => {
    const place = attacks.findIndex((option) => option.key === key);
    setAttackText(place < 0 ? 'worst' : String(place));
  };
  return {
    ...{ results, hyperparameters, objective, attacks, worstCase, setAttack, setMetric },
    ...{ chosen, partial, error, describe },
  };
};
