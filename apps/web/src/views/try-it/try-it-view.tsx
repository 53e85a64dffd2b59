import {
  type Budgets,
  evaluationMetrics,
  type LeaderboardRow,
  normTitles,
  readExtended,
  type TrialDetail,
  threatModelOf,
  usualRankings,
  withinText,
} from '@funnel/contracts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Panel, Segmented } from '../../components/controls.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { trialQuery } from '../../data/queries.ts';
import {
  attackTitle,
  formatHyperparameter,
  formatNumber,
  hyperparameterTitle,
  seedsText,
} from '../../format.ts';
import type { AttackChoice } from '../../model/attack-image.ts';
import { modelCheckpointsOf } from '../../model/networks.ts';
import { useModel } from '../../model/use-model.ts';
import { href, navigate, type ViewProps } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { ChooseImage } from './choose-image.tsx';
import { Outcome, useTried } from './outcome.tsx';
import './try-it.css';

/** The most robust trials, best first, by the first default ranking that has trials. */
const bestQuery = queryOptions({
  queryKey: ['best-trials'],
  queryFn: async ({ signal }): Promise<readonly LeaderboardRow[]> => {
    let found: readonly LeaderboardRow[] = [];
    for (const ranking of usualRankings())
      if (found.length === 0)
        found = (await call('leaderboard', { query: { ...ranking, limit: 30 } }, signal)).items;
    return found;
  },
});

/** A title names those of them in which the listed models differ. */
const titleHyperparameters = ['architecture', 'gamma', 'beta', 'optimiseEpochs'];
const namesFor = (rows: readonly LeaderboardRow[]): readonly string[] =>
  titleHyperparameters.filter(
    (name) => new Set(rows.flatMap(({ hyperparameters }) => hyperparameters[name] ?? [])).size > 1,
  );

const title = (row: LeaderboardRow, names: readonly string[]): string => {
  const hyperparameters = names
    .filter((name) => name in row.hyperparameters)
    .map((name) => `${hyperparameterTitle(name)} ${formatHyperparameter(row.hyperparameters[name])}`);
  const name = [`${row.recipe} on ${row.dataset}`, ...hyperparameters].join(', ');
  const { title: metric } = evaluationMetrics[row.metric];
  const { correct, fooled, images } = row.counts;
  const value = readExtended(row.value);
  const result =
    row.metric === 'robustAccuracy'
      ? `${correct - fooled} of ${images} images robust`
      : `${metric} ${value === null ? '–' : formatMetric(row.metric)(value)}`;
  return `${row.rank === null ? '' : `${row.rank}. `}${name}: ${result} under ${attackTitle(row)}${withinText(threatModelOf([row]), row.metric)}, ${seedsText(row.seeds)}`;
};

const TrialPicker = (props: {
  readonly best: readonly LeaderboardRow[];
  readonly id: string | undefined;
  readonly onPick: (id: string) => void;
}) => {
  const { best, id } = props;
  if (best.length === 0) return null;
  const listed = best.some(({ trialId }) => trialId === id);
  const names = namesFor(best);
  return (
    <label className="label">
      Model
      <select
        className="input try-picker"
        value={id ?? ''}
        onChange={(event) => props.onPick(event.target.value)}
      >
        {listed || id === undefined ? null : <option value={id}>the trial of the previous page</option>}
        {best.map((row) => (
          <option key={row.trialId} value={row.trialId}>
            {title(row, names)}
          </option>
        ))}
      </select>
    </label>
  );
};

/** The end of the slider: four times the usual ε. An L∞ of 0.5 suffices to make every image grey. */
const maxEpsilonOf = ({ linf, l2 }: Budgets): Budgets => ({ linf: Math.min(0.5, 4 * linf), l2: 4 * l2 });

const pgdSteps = 20;

const AttackControls = ({
  choice,
  maxEpsilon,
  onChange,
}: {
  readonly choice: AttackChoice;
  readonly maxEpsilon: Budgets;
  readonly onChange: (choice: AttackChoice) => void;
}) => (
  <Panel title="Attack">
    <div className="attack-controls">
      <div className="row">
        <Segmented
          label="Attack"
          value={choice.steps === 1 ? 'fgsm' : 'pgd'}
          options={[
            { value: 'pgd', title: `PGD, ${pgdSteps} steps` },
            { value: 'fgsm', title: 'FGSM, one step' },
          ]}
          onChange={(value) => onChange({ ...choice, steps: value === 'fgsm' ? 1 : pgdSteps })}
        />
        <Segmented
          label="Norm"
          value={choice.norm}
          options={[
            { value: 'linf', title: normTitles.linf },
            { value: 'l2', title: normTitles.l2 },
          ]}
          // The slider keeps its position when the norm changes.
          onChange={(norm) =>
            onChange({
              ...choice,
              norm,
              epsilon: (choice.epsilon / maxEpsilon[choice.norm]) * maxEpsilon[norm],
            })
          }
        />
      </div>
      <label className="label">
        <span>
          ε = <output>{formatNumber(choice.epsilon)}</output>{' '}
          {choice.norm === 'linf' ? 'largest change of a pixel' : 'L2 norm of the whole change'}
        </span>
        <input
          type="range"
          min={0}
          max={maxEpsilon[choice.norm]}
          step={maxEpsilon[choice.norm] / 100}
          value={choice.epsilon}
          aria-label="ε"
          onChange={(event) => onChange({ ...choice, epsilon: Number(event.target.value) })}
        />
      </label>
    </div>
  </Panel>
);

const Bench = ({ trial }: { readonly trial: TrialDetail }) => {
  const checkpoints = modelCheckpointsOf(trial.stages);
  const { shape, classes, budgets } = trial.data;
  const { model, error } = useModel(checkpoints);
  const [pixels, setPixels] = useState<Float32Array | null>(null);
  const [choice, setChoice] = useState<AttackChoice>({
    norm: 'linf',
    epsilon: budgets.linf,
    steps: pgdSteps,
  });
  const { tried, busy, fault } = useTried(model, pixels, shape, choice);

  if (checkpoints === null)
    return (
      <Empty title="This trial has no classifier yet">You can try it once its classifier is trained.</Empty>
    );
  return (
    <div className="try">
      <ChooseImage trial={trial} onPick={setPixels} />
      <div className="stack">
        <AttackControls choice={choice} maxEpsilon={maxEpsilonOf(budgets)} onChange={setChoice} />
        <Panel
          title="Prediction"
          note={
            model
              ? `The networks of this trial run in this browser (${model.backend}).`
              : 'Loading the networks.'
          }
        >
          <ErrorNotice error={error} />
          <ErrorNotice error={fault} />
          <div aria-live="polite" aria-busy={busy} className="try-outcome">
            {model === null && error === undefined ? <Skeleton height={420} /> : null}
            {model ? <Outcome tried={tried} shape={shape} classes={classes} /> : null}
          </div>
        </Panel>
      </div>
    </div>
  );
};

export const TryItView = ({ params }: ViewProps) => {
  const best = useQuery(bestQuery);
  const trials = best.data ?? [];
  const id = params.id ?? trials[0]?.trialId;
  const state = useQuery({ ...trialQuery(id ?? ''), enabled: id !== undefined });
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Try it</h1>
          <p className="muted">
            See how a trained model classifies an image, and how small a change is enough for another class.
          </p>
        </div>
        <TrialPicker best={trials} id={id} onPick={(next) => navigate(href(['try', next]))} />
      </header>
      {id === undefined ? (
        best.isLoading ? (
          <Skeleton height={480} />
        ) : best.error ? (
          <ErrorNotice error={best.error} />
        ) : (
          <Empty title="No model has been trained yet">
            <p>You can try a trial here once it has been trained and attacked.</p>
            <a className="button" data-kind="primary" href={href(['new'])}>
              New sweep
            </a>
          </Empty>
        )
      ) : (
        <Loaded state={state} height={480}>
          {(trial) => <Bench key={trial.id} trial={trial} />}
        </Loaded>
      )}
    </>
  );
};
