import {
  type DistanceMetricName,
  EvaluationMetricName,
  evaluationMetrics,
  isDecided,
  isDistance,
  type SweepDetail,
  type Trial,
} from '@funnel/contracts';
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react';
import { SeriesMark } from '../../charts/marks.tsx';
import { Verdict } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { useChangedIds } from '../../data/changed-ids.ts';
import { useLive } from '../../data/live.ts';
import { type ListState, usePagedList } from '../../data/paged-list.ts';
import { hasEnded } from '../../data/queries.ts';
import { formatHyperparameter, hyperparameterTitle } from '../../format.ts';
import { href, useQueryValue } from '../../router.ts';
import { belowBySeedText } from '../../statistics/configurations.ts';
import {
  attackOptions,
  bestOfAll,
  createObjective,
  defaultObjective,
  firstChoice,
  type Objective,
  type Result,
  resultOf,
  usualMetricFor,
  varyingHyperparameters,
  worstCaseTitle,
} from '../../statistics/objective.ts';

export type SweepTabProps = { readonly sweep: SweepDetail };

const pageSize = 250;
/** The shortest pause between two refreshes of results. */
const minRefreshMs = 2000;

/** All trials of a sweep, which a search that decides makes one after the other. An event changes the status of a trial at once; results come with the next refresh of its page. */
export const useSweepTrials = (
  { id: sweepId, definition }: SweepDetail,
  /** The distance whose intervals the page shows. (Default: none) */
  intervals?: DistanceMetricName,
): ListState<Trial> => {
  const { list, state } = usePagedList<Trial>({
    key: ['trials', sweepId, intervals ?? ''],
    load: (cursor, signal) =>
      call('listTrials', { params: { id: sweepId }, query: { limit: pageSize, cursor, intervals } }, signal),
    keepPrevious: true,
    idOf: (trial) => trial.id,
    mayChange: (trial) => !hasEnded(trial.status),
    all: true,
    grows: isDecided(definition.search),
  });
  const addChanged = useChangedIds(
    (ids) => list.refresh((trial) => ids.has(trial.id) || trial.status === 'running'),
    minRefreshMs,
  );

  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh((trial) => !hasEnded(trial.status));
      return;
    }
    const changes = new Map<string, (trial: Trial) => Trial>();
    let results = false;
    for (const { event } of rows) {
      if (event.sweepId !== sweepId) continue;
      if (event.type === 'trial') {
        changes.set(event.trialId, (trial) => ({ ...trial, status: event.status }));
      }
      if (event.type === 'evaluation') results = true;
    }
    if (changes.size > 0) list.patch(changes);
    if (changes.size > 0 || results) addChanged(changes.keys());
  });
  return state;
};

/** At most this many trials can be chosen for comparison. Each has its own colour. */
export const maxChosen = 6;

export type Chosen = {
  /** Trial numbers, in the order of their colours. */
  readonly numbers: readonly number[];
  readonly toggle: (number: number) => void;
  /** True if the page chose the trials, because the user has not chosen any. */
  readonly byDefault: boolean;
  readonly reset: () => void;
};

const useChosen = (results: readonly Result[], objective: Objective): Chosen => {
  const [text, setText] = useQueryValue('trials');
  const numbers =
    text === undefined
      ? firstChoice(results, objective)
      : text
          .split('.')
          .filter((part) => part !== '')
          .map(Number);
  const toggle = (number: number) => {
    const next = numbers.includes(number)
      ? numbers.filter((n) => n !== number)
      : [...numbers, number].slice(-maxChosen);
    setText(next.length === 0 ? '.' : next.join('.'));
  };
  return { numbers, toggle, byDefault: text === undefined, reset: () => setText(undefined) };
};

export type SweepResults = {
  readonly results: readonly Result[];
  /** The number of trials with a value of the objective. */
  readonly measured: number;
  readonly hyperparameters: readonly string[];
  readonly objective: Objective;
  readonly attacks: readonly { readonly key: string; readonly title: string }[];
  /** The title of the worst case over these attacks. */
  readonly worstCase: string;
  readonly setAttack: (key: string) => void;
  readonly setMetric: (metric: EvaluationMetricName) => void;
  readonly chosen: Chosen;
  /** More pages are still loading. */
  readonly partial: boolean;
  readonly error: Error | null;
  /** The hyperparameters that vary, with the values of a trial. */
  readonly describe: (trial: Trial) => string;
};

/** While pages load, returns new items only when their number has doubled: drawing all charts for each of a hundred pages is slow. */
const useDoubling = (items: readonly Trial[], partial: boolean): readonly Trial[] => {
  const [shown, setShown] = useState(items);
  const next = !partial || items.length >= 2 * shown.length || shown.length === 0 ? items : shown;
  if (next !== shown) setShown(next);
  return next;
};

/** The trials of a sweep with their values of the objective, and the chosen trials. */
export const useSweepResults = (sweep: SweepDetail): SweepResults => {
  const [attackText, setAttackText] = useQueryValue('attack');
  const [metricText, setMetric] = useQueryValue('metric');
  // The definition of a sweep never changes, but each response contains a new object.
  const attacks = useMemo(() => attackOptions(sweep.definition), [sweep.id]);
  const defaults = useMemo(() => defaultObjective(sweep.definition), [sweep.id]);
  const attack =
    attackText === 'worst' ? '' : (attacks[Number(attackText ?? Number.NaN)]?.key ?? defaults.attack);
  const metric =
    EvaluationMetricName.safeParse(metricText).data ??
    (attack === defaults.attack ? defaults.metric : usualMetricFor(attacks, attack));
  const { items, partial, error } = useSweepTrials(sweep, isDistance(metric) ? metric : undefined);
  const trials = useDeferredValue(useDoubling(items, partial));
  const worstCase = useMemo(
    () =>
      worstCaseTitle(
        attacks.map(({ spec }) => spec),
        metric,
      ),
    [attacks, metric],
  );
  const objective = useMemo(() => createObjective(attack, metric, defaults), [attack, metric, defaults]);
  const results = useMemo(() => trials.map((trial) => resultOf(trial, objective)), [trials, objective]);
  const measured = results.filter(({ value }) => value !== null).length;
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
    ...{ results, measured, hyperparameters, objective, attacks, worstCase, setAttack, setMetric },
    ...{ chosen, partial, error, describe },
  };
};

/** The selection of the objective. */
export const ObjectiveTools = ({
  data,
  children,
}: {
  readonly data: SweepResults;
  readonly children?: ReactNode;
}) => (
  <div className="results-tools">
    <label className="label">
      Attack
      <select
        className="input"
        value={data.objective.attack}
        onChange={(event) => data.setAttack(event.target.value)}
      >
        {data.attacks.map(({ key, title }) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
        <option value="">{data.worstCase}</option>
      </select>
    </label>
    <label className="label">
      Metric
      <select
        className="input"
        value={data.objective.metric}
        onChange={(event) => data.setMetric(EvaluationMetricName.parse(event.target.value))}
      >
        {EvaluationMetricName.options.map((metric) => (
          <option key={metric} value={metric}>
            {evaluationMetrics[metric].title}
          </option>
        ))}
      </select>
    </label>
    {children}
  </div>
);

const ChipNote = ({ text }: { readonly text: string | null }) =>
  text === null ? null : <span className="muted small">{text}</span>;

/** The chosen trials with their colours: the legend of all charts of the page. */
export const ChosenBar = ({ data, sweep }: { readonly data: SweepResults; readonly sweep: SweepDetail }) => {
  const { chosen, results, measured, describe } = data;
  const best = sweep.finishedAt !== null ? 'Best trials:' : 'Best trials so far:';
  const byDefault = measured > 0 ? best : 'First trials:';
  const trials = chosen.numbers.flatMap(
    (number) => results.find(({ trial }) => trial.number === number)?.trial ?? [],
  );
  const all = useMemo(() => results.map(({ trial }) => trial), [results]);
  return (
    <section className="chosen" aria-label="Chosen trials">
      <span className="muted small">{chosen.byDefault ? byDefault : 'Chosen:'}</span>
      {trials.map((trial, i) => (
        <span key={trial.id} className="chip">
          <SeriesMark colour={i} />
          <a href={href(['trials', trial.id])} title={describe(trial)}>
            Trial {trial.number}
          </a>
          <Verdict verdict={trial.verdict} brief />
          {chosen.byDefault && measured > 0 && i >= bestOfAll ? (
            <ChipNote text={`the best ${trial.recipe}`} />
          ) : null}
          <ChipNote text={belowBySeedText(trial, all)} />
          <button
            type="button"
            aria-label={`Leave out trial ${trial.number}`}
            onClick={() => chosen.toggle(trial.number)}
          >
            ×
          </button>
        </span>
      ))}
      {trials.length === 0 ? <span className="muted small">none. Tick trials in the table.</span> : null}
      {chosen.byDefault ? null : (
        <button type="button" className="button" data-kind="quiet" data-size="small" onClick={chosen.reset}>
          {measured > 0 ? 'Back to the best' : 'Back to the first'}
        </button>
      )}
      {measured > 0 && trials.length >= 2 ? (
        <a
          className="button"
          data-size="small"
          href={href(['compare'], { trials: trials.map(({ id }) => id).join(','), sweep: sweep.id })}
        >
          Compare side by side
        </a>
      ) : null}
    </section>
  );
};
