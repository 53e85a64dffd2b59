import {
  describeChanges,
  evaluationMetrics,
  isDecided,
  type SweepDetail,
  type TrialDetail,
  threatModelText,
  totalOf,
  usualMetricAmong,
  worstCaseShare,
  worstCaseValue,
} from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { borderNote, TrainingCurves } from '../../charts/training-curves.tsx';
import { CopyButton, Panel } from '../../components/controls.tsx';
import { Loaded, WithCode } from '../../components/states.tsx';
import { Status, Verdict } from '../../components/status.tsx';
import { metricsQuery, sweepQuery, trialQuery } from '../../data/queries.ts';
import {
  attackLabel,
  formatCount,
  formatHyperparameter,
  formatMeasured,
  formatPercent,
  hyperparameterTitle,
  plural,
} from '../../format.ts';
import { href, type ViewProps } from '../../router.ts';
import { definitionYaml } from '../../yaml.ts';
import { trialDefinition } from '../new-sweep/draft.ts';
import { DecisionPanel } from '../search/decision-panel.tsx';
import { ClassAccuracyPanel } from './class-accuracy-panel.tsx';
import { DiagnosticsPanel } from './diagnostics-panel.tsx';
import { EvaluationsPanel, RejectionsPanel } from './evaluations-panels.tsx';
import { GalleryPanel } from './gallery-panel.tsx';
import { CheckpointsPanel, CostPanel, SpecPanel } from './provenance-panels.tsx';
import './trial.css';

/** The hyperparameters that the sweep varies, with the values of this trial: `γ 5, β 0.02`. */
const variedText = (trial: TrialDetail, sweep: SweepDetail | undefined): string => {
  const varied = Object.entries(sweep?.definition.space ?? {}).filter(
    ([, dimension]) => typeof dimension === 'object',
  );
  return varied
    .filter(([name]) => name in trial.hyperparameters)
    .map(([name]) => `${hyperparameterTitle(name)} ${formatHyperparameter(trial.hyperparameters[name])}`)
    .join(', ');
};

const Fact = (props: { readonly title: string; readonly value: string; readonly note?: string }) => (
  <div className="fact">
    <dt>{props.title}</dt>
    <dd>
      {props.value} {props.note === undefined ? null : <small>{props.note}</small>}
    </dd>
  </div>
);

/** `45.3% to 65.4%, 50 of 90 test images`; undefined without the counts of a trial that an older version trained. */
const cleanNote = ({ cleanAccuracy, perClass }: TrialDetail): string | undefined => {
  if (cleanAccuracy === null || !perClass) return undefined;
  const { correct, images, interval } = totalOf(perClass);
  const [low, high] = interval;
  return `${formatPercent(low)} to ${formatPercent(high)}, ${formatCount(correct)} of ${plural(images, 'test image')}`;
};

/** The robust accuracy of the trial; if no attack has a fixed ε, the median distance. */
const Strength = ({ trial }: { readonly trial: TrialDetail }) => {
  const { evaluations, worstCase } = trial;
  const [only] = evaluations;
  const under =
    only && evaluations.length === 1
      ? attackLabel(only)
      : `worst case over ${plural(evaluations.length, 'attack')}`;
  if (!worstCase) return <Fact title="Robust accuracy" value="–" note="shown once all attacks have ended" />;
  const within = threatModelText(worstCase.within);
  if (within === '') {
    const metric = usualMetricAmong(evaluations, undefined);
    const { value, interval } = worstCaseValue(trial, metric);
    const [low, high] = (interval ?? []).map((end) => formatMeasured(end));
    return (
      <Fact
        title={evaluationMetrics[metric].title}
        value={value === null ? '–' : formatMeasured(value)}
        note={low === undefined ? under : `${low} to ${high}, ${under}`}
      />
    );
  }
  const robust = worstCaseShare(trial, 'robustAccuracy');
  const note = robust
    ? `${formatPercent(robust.interval[0])} to ${formatPercent(robust.interval[1])}, ${formatCount(robust.count)} of ${plural(robust.of, 'image')}, ${under}`
    : under;
  return <Fact title={`Robust accuracy within ${within}`} value={formatPercent(robust?.value)} note={note} />;
};

const TrialHeader = ({
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
              {trial.decision === undefined ? '' : `, decision ${trial.decision}`}
              {trial.rung === undefined ? '' : `, rung ${trial.rung}`}
            </span>
            <span>{variedText(trial, sweep)}</span>
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
          <Fact title="Clean accuracy" value={formatPercent(trial.cleanAccuracy)} note={cleanNote(trial)} />
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

const TrialCurvesPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const state = useQuery(metricsQuery(trial));
  const series = state.data?.series;
  const trials = useMemo(
    () => (series ? [{ name: `Trial ${trial.number}`, colour: 0, series }] : []),
    [series, trial.number],
  );
  const recorded = series?.some(({ epochs }) => epochs.length > 0) ?? false;
  return (
    <Panel title="Training" note={borderNote(trials)}>
      <Loaded state={state} height={380}>
        {() =>
          recorded ? (
            <TrainingCurves trials={trials} />
          ) : (
            <p className="muted">No epoch has been recorded yet.</p>
          )
        }
      </Loaded>
    </Panel>
  );
};

const endings = {
  failed: 'All attempts ended with an error.',
  diverged: 'A loss became infinite or NaN. The same inputs would diverge again.',
  collapsed: 'The auto-encoder ignores its input. The same inputs would collapse again.',
};

const Warnings = ({ warnings }: { readonly warnings: readonly string[] }) =>
  warnings.length === 0 ? null : (
    <div className="notice" data-tone="warning" role="note">
      {warnings.map((warning) => (
        <p key={warning}>
          <WithCode text={warning} />
        </p>
      ))}
    </div>
  );

const olderText = ({ older }: TrialDetail): readonly string[] =>
  older
    ? [`Made by another version of Funnel: ${describeChanges(older)}. A new sweep makes these stages anew.`]
    : [];

/** The reasons for which a trial ended without a result: the errors of its stages. */
const Endings = ({ trial }: { readonly trial: TrialDetail }) => {
  const ended = trial.stages.filter(
    ({ status }) => status === 'failed' || status === 'diverged' || status === 'collapsed',
  );
  return ended.map((stage) => (
    <div key={stage.id} className="notice" data-tone="danger" role="note">
      <strong>
        {stage.kind} {stage.status}
        {stage.attempts > 1 ? ` after ${stage.attempts} attempts` : ''}
      </strong>
      <p>
        {stage.error?.message ?? endings[stage.status as keyof typeof endings]}{' '}
        <a href={href(['sweeps', trial.sweepId, 'stages'], { stage: stage.id })}>Show the stage</a>
      </p>
    </div>
  ));
};

const Trial = ({ trial }: { readonly trial: TrialDetail }) => {
  const { data: sweep } = useQuery(sweepQuery(trial.sweepId));
  const attacked = trial.evaluations.length > 0;
  return (
    <div className="stack">
      <TrialHeader trial={trial} sweep={sweep} />
      <Endings trial={trial} />
      <Warnings warnings={[...olderText(trial), ...trial.warnings]} />
      {trial.decision !== undefined && sweep !== undefined && isDecided(sweep.definition.search) ? (
        <DecisionPanel
          trial={{ ...trial, decision: trial.decision }}
          sweep={sweep}
          search={sweep.definition.search}
        />
      ) : null}
      <TrialCurvesPanel trial={trial} />
      <ClassAccuracyPanel trial={trial} />
      {attacked ? (
        <>
          <EvaluationsPanel trial={trial} />
          <RejectionsPanel trial={trial} />
          <GalleryPanel trial={trial} />
          <DiagnosticsPanel trial={trial} />
        </>
      ) : (
        <Panel title="Attacks">
          <p className="muted">
            No attack has been measured yet. Attacks start once the classifier is trained.
          </p>
        </Panel>
      )}
      <SpecPanel trial={trial} />
      <div className="columns">
        <CostPanel trial={trial} />
        <CheckpointsPanel trial={trial} />
      </div>
    </div>
  );
};

export const TrialView = ({ params }: ViewProps) => {
  const state = useQuery(trialQuery(params.id ?? ''));
  return (
    <Loaded state={state} height={600}>
      {(trial) => <Trial trial={trial} />}
    </Loaded>
  );
};
