import { datasets, type TrialDetail } from '@funnel/contracts';
import { useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { trialQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import type { AttackChoice } from '../../model/attack-image.ts';
import { modelPlaceOf } from '../../model/networks.ts';
import { href, navigate } from '../../router.ts';
import type { ViewProps } from '../view-props.ts';
import { AttackControls } from './attack-controls.tsx';
import { DrawPad } from './draw-pad.tsx';
import { Outcome } from './outcome.tsx';
import { Samples } from './samples.tsx';
import { TrialPicker, useBestTrials } from './trial-picker.tsx';
import { useModel } from './use-model.ts';
import { useTried } from './use-tried.ts';
import './try-it.css';

const Bench = ({ trial }: { readonly trial: TrialDetail }) => {
  const place = modelPlaceOf(trial.stages);
  const { shape, classes } = datasets[trial.dataset];
  const { model, error } = useModel(place);
  const [pixels, setPixels] = useState<Float32Array | null>(null);
  const [choice, setChoice] = useState<AttackChoice>({ norm: 'linf', epsilon: 0.1, steps: 20 });
  const { tried, busy, fault } = useTried(model, pixels, shape, choice);

  if (place === null)
    return (
      <Empty title="This trial has no classifier yet">
        It can be tried when its classifier has been trained.
      </Empty>
    );
  return (
    <div className="try">
      <div className="stack">
        <Panel
          title="Draw"
          note="As large as you like; it is centred and scaled as the digits of MNIST were."
        >
          <DrawPad shape={shape} onDraw={setPixels} />
        </Panel>
        <Samples trial={trial} onPick={setPixels} />
      </div>
      <div className="stack">
        <AttackControls choice={choice} onChange={setChoice} />
        <Panel
          title="What it sees"
          note={
            model ? `The trial’s own networks, in this browser (${model.backend}).` : 'Fetching the networks.'
          }
        >
          {error === undefined ? null : <ErrorNotice error={error} />}
          {fault === undefined ? null : <ErrorNotice error={fault} />}
          <div aria-live="polite" aria-busy={busy} className="try-outcome">
            {model === null && error === undefined ? <Skeleton height={420} /> : null}
            {model ? (
              <Outcome tried={tried} shape={shape} classes={classes} epsilon={choice.epsilon} />
            ) : null}
          </div>
        </Panel>
      </div>
    </div>
  );
};

export const TryItView = ({ params }: ViewProps) => {
  const best = useBestTrials();
  const id = params[0] ?? best.items[0]?.trialId;
  const state = useQuery(id === undefined ? null : trialQuery(id));
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Try it</h1>
          <p className="muted">
            Draw a digit, let a trained model read it, and see how small a change makes it read another.
          </p>
        </div>
        <TrialPicker best={best.items} id={id} onPick={(next) => navigate(href(['try', next]))} />
      </header>
      {id === undefined ? (
        best.loading ? (
          <Skeleton height={480} />
        ) : best.error ? (
          <ErrorNotice error={best.error} />
        ) : (
          <Empty title="No model has been trained yet">
            <p>When the first trial of a sweep has been trained and attacked, it can be tried here.</p>
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
