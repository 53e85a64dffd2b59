import { type SweepDetail, type TrialDetail, threatModelText } from '@funnel/contracts';
import { attackLabel } from '../../attack-label.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Status } from '../../components/status.tsx';
import { Verdict } from '../../components/verdict.tsx';
import { formatMeasured, formatPercent } from '../../format.ts';
import { href } from '../../router.ts';
import { definitionYaml } from '../../yaml.ts';
import { worstCaseOf } from '../sweep/objective.ts';
import { isApart } from './apart.ts';
import { trialDefinition } from './trial-definition.ts';

const Fact = (props: { readonly title: string; readonly value: string; readonly note?: string }) => (
  <div className="fact">
    <dt>{props.title}</dt>
    <dd>
      {props.value} {props.note === undefined ? null : <small>{props.note}</small>}
    </dd>
  </div>
);

/** What the trial is worth: what stands within the balls of its attacks, or where none has one, how far they have to go. */
const Strength = ({ trial }: { readonly trial: TrialDetail }) => {
  const { evaluations, worstCase } = trial;
  const [only] = evaluations;
  const under =
    only && evaluations.length === 1 ? attackLabel(only) : `worst case over ${evaluations.length} attacks`;
  if (!worstCase)
    return <Fact title="Robust accuracy" value="–" note="once all of its attacks have been made" />;
  const within = threatModelText(worstCase.within);
  if (within === '') {
    const { value } = worstCaseOf(trial, 'medianL2');
    return <Fact title="Median L2" value={value === null ? '–' : formatMeasured(value)} note={under} />;
  }
  const { value, interval } = worstCaseOf(trial, 'robustAccuracy');
  const range = interval ? `${formatPercent(interval[0])} to ${formatPercent(interval[1])}, ` : '';
  return (
    <Fact title={`Robust accuracy within ${within}`} value={formatPercent(value)} note={`${range}${under}`} />
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
