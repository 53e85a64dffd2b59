import { type Budgets, normTitles, type TrialDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Panel, Segmented } from '../../components/controls.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { trialQuery } from '../../data/queries.ts';
import { formatNumber } from '../../format.ts';
import type { AttackChoice } from '../../model/attack-image.ts';
import { modelCheckpointsOf } from '../../model/networks.ts';
import { useModel } from '../../model/use-model.ts';
import { href, navigate, type ViewProps } from '../../router.ts';
import { ChooseImage, type ChosenImage } from './choose-image.tsx';
import { bestQuery, ModelPicker } from './model-picker.tsx';
import { Outcome, useTried } from './outcome.tsx';
import './try-it.css';

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
  const [image, setImage] = useState<ChosenImage | null>(null);
  const [choice, setChoice] = useState<AttackChoice>({
    norm: 'linf',
    epsilon: budgets.linf,
    steps: pgdSteps,
  });
  const { tried, busy, fault } = useTried(model, image, shape, choice);

  if (checkpoints === null)
    return (
      <Empty title="This trial has no classifier yet">You can try it once its classifier is trained.</Empty>
    );
  return (
    <div className="try">
      <ChooseImage trial={trial} onPick={setImage} />
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
  const id = params.id ?? best.data?.rows[0]?.trialId;
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
        {best.data ? (
          <ModelPicker best={best.data} id={id} onPick={(next) => navigate(href(['try', next]))} />
        ) : null}
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
