import {
  describeBehind,
  describeChanges,
  describeRough,
  describeUnknownTime,
  describeValues,
  formatRoughDuration,
  type Plan,
  StageKind,
} from '@funnel/contracts';
import { Fragment } from 'react';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import {
  attackLabel,
  formatBytes,
  formatCount,
  formatFactor,
  hyperparameterTitle,
  keyOfRun,
  plural,
} from '../../format.ts';

const EpochBar = ({ plan }: { readonly plan: Plan }) => {
  const { unshared, needed, cached } = plan.epochs;
  const share = (n: number) => `${(100 * n) / Math.max(1, unshared)}%`;
  return (
    <div
      className="plan-bar"
      role="img"
      aria-label={`${plural(needed, 'epoch')} to train, ${cached} already trained, ${unshared} without sharing`}
    >
      <span style={{ width: share(needed), background: 'var(--accent)' }} />
      <span style={{ width: share(cached), background: 'var(--completed)' }} />
    </div>
  );
};

/** The values of each hyperparameter, and the parts of the search space that make no trials. */
const Space = ({ plan: { space = [], leftOut = [], warnings = [] } }: { readonly plan: Plan }) => (
  <>
    {space.length === 0 ? null : (
      <dl className="plan-space">
        {space.map((planned) => (
          <div key={planned.hyperparameter}>
            <dt>{hyperparameterTitle(planned.hyperparameter)}</dt>
            <dd>{describeValues(planned)}</dd>
          </div>
        ))}
      </dl>
    )}
    {[...warnings, ...leftOut].map((sentence) => (
      <p key={sentence} className="muted small">
        {sentence}
      </p>
    ))}
  </>
);

/** What is certain about a search beforehand. Its points are not known yet. */
const PlannedSearch = ({ plan: { search } }: { readonly plan: Plan }) => {
  if (search === undefined) return null;
  const { configurations, decisions, rungs, epochsAtMost, epochsWithoutPromotion, notes } = search;
  return (
    <section>
      <dl className="plan-epochs">
        <dt>Configurations, at most</dt>
        <dd>{formatCount(configurations)}</dd>
        {decisions === configurations ? null : (
          <>
            <dt>Decisions, promotions included</dt>
            <dd>{formatCount(decisions)}</dd>
          </>
        )}
        {rungs.map(({ epochs, units }, rung) => (
          <Fragment key={epochs}>
            <dt>
              Rung {rung}: {plural(epochs, 'epoch')}
            </dt>
            <dd>{formatCount(units)}</dd>
          </Fragment>
        ))}
        <dt>Epochs, at most</dt>
        <dd>{formatCount(epochsAtMost)}</dd>
      </dl>
      {epochsWithoutPromotion === null || epochsWithoutPromotion <= epochsAtMost ? null : (
        <p className="plan-saving">
          Without promotion, training would take {formatFactor(epochsWithoutPromotion / epochsAtMost)} times
          as long.
        </p>
      )}
      {['The points are not known yet: other counts are those of random points.', ...notes].map((note) => (
        <p key={note} className="muted small">
          {note}
        </p>
      ))}
    </section>
  );
};

/** What the sweep costs. Plans of older versions have no estimate. */
const Estimate = ({ plan: { estimate, behind } }: { readonly plan: Plan }) => {
  if (estimate === undefined) return null;
  const rough = describeRough(estimate);
  return (
    <>
      <dl className="plan-epochs">
        <dt>Time on this fleet, about</dt>
        <dd>{estimate.seconds == null ? 'unknown' : formatRoughDuration(estimate.seconds)}</dd>
        <dt>Memory of a trainer, at least</dt>
        <dd>{formatBytes(estimate.trainerBytes)}</dd>
        <dt>To store, about</dt>
        <dd>{formatBytes(estimate.storedBytes)}</dd>
      </dl>
      {estimate.seconds == null ? (
        <p className="muted small">
          Time: {describeUnknownTime(estimate)}. A sweep of few images is a quick way to a measurement.
        </p>
      ) : null}
      {rough === '' ? null : <p className="muted small">The time is {rough}.</p>}
      {behind ? <p className="muted small">At present it {describeBehind(behind)}.</p> : null}
    </>
  );
};

/** Every attack that runs, with its settings: presets are spelt out. Plans of older versions do not say it. */
const Attacks = ({ plan: { runs } }: { readonly plan: Plan }) =>
  runs === undefined ? null : (
    <details className="plan-attacks">
      <summary>{plural(runs.attacks.length, 'attack')}</summary>
      <ul className="small">
        {runs.attacks.map((run) => (
          <li key={keyOfRun(run)}>{attackLabel(run)}</li>
        ))}
      </ul>
    </details>
  );

const Figures = ({ plan }: { readonly plan: Plan }) => {
  const { unshared, needed, cached } = plan.epochs;
  return (
    <div className="stack">
      <p className="plan-trials">
        {formatCount(plan.trials)} <small>{plan.trials === 1 ? 'trial' : 'trials'}</small>
      </p>
      <Space plan={plan} />
      <PlannedSearch plan={plan} />
      <div>
        <EpochBar plan={plan} />
        <dl className="plan-epochs">
          <dt>
            <i style={{ background: 'var(--accent)' }} /> To train
          </dt>
          <dd>{plural(needed, 'epoch')}</dd>
          <dt>
            <i style={{ background: 'var(--completed)' }} /> Already trained
          </dt>
          <dd>{formatCount(cached)}</dd>
          <dt>
            <i style={{ background: 'var(--waiting)' }} /> Without sharing
          </dt>
          <dd>{formatCount(unshared)}</dd>
        </dl>
        {needed === unshared ? null : (
          <p className="plan-saving">
            {needed === 0
              ? 'Nothing is left to train.'
              : `Without sharing, training would take ${formatFactor(unshared / needed)} times as long.`}
          </p>
        )}
      </div>
      {plan.madeAnew ? (
        <p className="small" role="note">
          Made by an older version, so made anew with all that follows: {describeChanges(plan.madeAnew)}.
        </p>
      ) : null}
      <Attacks plan={plan} />
      <Estimate plan={plan} />
      <table className="plan-stages">
        <thead>
          <tr>
            <th scope="col">Stages</th>
            <th scope="col">Total</th>
            <th scope="col">Done</th>
          </tr>
        </thead>
        <tbody>
          {StageKind.options.map((kind) => (
            <tr key={kind}>
              <th scope="row">{kind}</th>
              <td>{formatCount(plan.stages[kind].total)}</td>
              <td>{formatCount(plan.stages[kind].cached)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const amountOf = ({ trials, search }: Plan): string =>
  search ? plural(search.configurations, 'configuration') : plural(trials, 'trial');

/** The plan of the sweep in the form or in the file. The last plan stays until the next one arrives. */
export const PlanPanel = (props: {
  /** Undefined: it is on its way. Null: the sweep has a mistake, so it has no plan. */
  readonly plan: Plan | null | undefined;
  readonly current: boolean;
  readonly error: unknown;
  readonly faults: readonly string[];
  readonly busy: boolean;
  readonly onSubmit: () => void;
}) => {
  const { plan, current, error, faults, busy } = props;
  return (
    <aside className="panel plan" aria-label="Plan">
      <div className="panel-head">
        <h2>Plan {plan && !current ? <small className="muted">of the entries before</small> : null}</h2>
      </div>
      <div className="panel-body stack">
        <div aria-live="polite" style={{ minHeight: 330 }}>
          {plan ? (
            <Figures plan={plan} />
          ) : plan === undefined ? (
            <Skeleton height={320} />
          ) : (
            <p className="muted">No plan: something in this sweep is not correct yet.</p>
          )}
        </div>
        {faults.length === 0 ? null : (
          <ul className="field-error">
            {faults.slice(0, 5).map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        )}
        <ErrorNotice error={error} />
        <button type="button" className="button" data-kind="primary" disabled={busy} onClick={props.onSubmit}>
          {plan && current ? `Submit ${amountOf(plan)}` : 'Submit'}
        </button>
      </div>
    </aside>
  );
};
