import { isBounded, type SweepDetail, type TrialDetail } from '@funnel/contracts';
import { attackLabel } from '../../attack-label.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Status } from '../../components/status.tsx';
import { Verdict } from '../../components/verdict.tsx';
import { formatMeasured, formatPercent } from '../../format.ts';
import { href } from '../../router.ts';
import { definitionYaml } from '../../yaml.ts';
import { isApart } from './apart.ts';
import { trialDefinition } from './trial-definition.ts';

/** Of the attacks at a fixed ε the one that leaves the least. */
const worstOf = ({ evaluations }: TrialDetail) =>
  evaluations.filter(isBounded).sort((a, b) => a.summary.robustAccuracy - b.summary.robustAccuracy)[0];

/** The attack that has to go the least far. */
const nearestOf = ({ evaluations }: TrialDetail) =>
  evaluations
    .filter(({ summary }) => summary.medianL2 !== null)
    .sort((a, b) => a.summary.medianL2! - b.summary.medianL2!)[0];

/** What the trial is worth: what stands at a fixed ε, or where nobody attacked at one, how far an attack has to go. */
const Strength = ({ trial }: { readonly trial: TrialDetail }) => {
  const [worst, nearest] = [worstOf(trial), nearestOf(trial)];
  if (!worst && nearest)
    return (
      <div className="fact">
        <dt>Median L2, nearest attack</dt>
        <dd>
          {formatMeasured(nearest.summary.medianL2!)} <small>{attackLabel(nearest)}</small>
        </dd>
      </div>
    );
  return (
    <div className="fact">
      <dt>Robust accuracy, strongest attack at a fixed ε</dt>
      <dd>
        {formatPercent(worst?.summary.robustAccuracy)}{' '}
        {worst ? (
          <small>
            {formatPercent(worst.summary.robustInterval[0])} to{' '}
            {formatPercent(worst.summary.robustInterval[1])}, {attackLabel(worst)}
          </small>
        ) : null}
      </dd>
    </div>
  );
};

export const TrialHeader = ({
  trial,
  sweep,
}: {
  readonly trial: TrialDetail;
  readonly sweep: SweepDetail | undefined;
}) => {
  const classified = trial.stages.some(({ kind, checkpoint }) => kind === 'classify' && checkpoint !== null);
  return (
    <>
      <header className="page-head" style={{ marginBottom: 0 }}>
        <div className="page-head-text">
          <p className="crumbs">
            <a href={href(['sweeps'])}>Sweeps</a> /{' '}
            <a href={href(['sweeps', trial.sweepId])}>{sweep?.name ?? trial.sweepId}</a>
          </p>
          <h1>Trial {trial.number}</h1>
          <p className="row muted">
            <Status status={trial.status} />
            <span>
              {trial.recipe} on {trial.dataset}, seed {trial.seed}
            </span>
            <span>{isApart(trial, sweep)}</span>
          </p>
        </div>
        <div className="page-head-actions">
          <a className="button" href={href(['new'], { trial: trial.id })}>
            Run again
          </a>
          <CopyButton title="Copy as YAML" text={() => definitionYaml(trialDefinition(trial, sweep))} />
          {classified ? (
            <a className="button" href={href(['try', trial.id])}>
              Try it
            </a>
          ) : null}
        </div>
      </header>
      <section className="panel panel-body" aria-label="Results">
        <dl className="facts">
          <div className="fact">
            <dt>Clean accuracy</dt>
            <dd>{formatPercent(trial.cleanAccuracy)}</dd>
          </div>
          <Strength trial={trial} />
          <div className="fact">
            <dt>Checks of the evaluation</dt>
            <dd>{trial.verdict === null ? '–' : <Verdict verdict={trial.verdict} />}</dd>
          </div>
        </dl>
      </section>
    </>
  );
};
