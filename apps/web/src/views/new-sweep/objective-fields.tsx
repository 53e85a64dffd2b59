/** The objectives: what ranks the trials, and what a search improves. Without any, the sweep has the default one. */
import {
  type AttackName,
  type AttackSpec,
  attacks,
  directionOf,
  EvaluationMetricName,
  evaluationMetrics,
  type Objective,
  usualMetricAmong,
} from '@funnel/contracts';
import { inSentence } from '../../format.ts';
import { ChoiceField } from './fields.tsx';
import { type Issues, issueAt } from './schema.ts';

const maxObjectives = 4;

const directions = [
  { value: 'max', title: 'higher is better' },
  { value: 'min', title: 'lower is better' },
] as const;

/** The option of no attack. */
const noAttack = '';

const ObjectiveRow = (props: {
  readonly objective: Objective;
  /** The path of the objective. */
  readonly path: string;
  readonly runs: readonly AttackSpec[];
  /** The attacks of the form; the chosen one may be none of them. */
  readonly names: readonly AttackName[];
  readonly issues: Issues;
  readonly onChange: (objective: Objective | null) => void;
}) => {
  const { objective, path, runs, issues, onChange } = props;
  const { attack, metric, direction } = objective;
  const names = attack === undefined || props.names.includes(attack) ? props.names : [...props.names, attack];
  /** The metric that the user chose, unless another attack may lack it: not every attack has a robust accuracy. */
  const metricFor = (next: AttackName | undefined): EvaluationMetricName =>
    metric === 'robustAccuracy' ? usualMetricAmong(runs, next) : metric;
  const choose = (next: Objective) => {
    const usual = evaluationMetrics[next.metric].direction;
    const { direction: own, ...rest } = next;
    onChange(own === undefined || own === usual ? rest : next);
  };
  return (
    <li className="form-row">
      <ChoiceField
        title="Attack"
        value={attack ?? noAttack}
        options={[
          {
            value: noAttack,
            title:
              metric === 'cleanAccuracy'
                ? 'none: all test images as they are'
                : 'the worst case over these attacks',
          },
          ...names.map((name) => ({ value: name as string, title: attacks[name].title })),
        ]}
        error={issueAt(issues, `${path}.attack`)}
        onChange={(value) => {
          const next = names.find((name) => name === value);
          choose({ metric: metricFor(next), direction, ...(next && { attack: next }) });
        }}
      />
      <ChoiceField
        title="Metric"
        value={metric}
        options={EvaluationMetricName.options.map((value) => ({
          value,
          title: evaluationMetrics[value].title,
        }))}
        error={issueAt(issues, `${path}.metric`)}
        onChange={(next) => choose({ metric: next, ...(attack && { attack }) })}
      />
      <ChoiceField
        title="Direction"
        value={directionOf(objective)}
        options={directions}
        error={issueAt(issues, `${path}.direction`)}
        onChange={(next) => choose({ ...objective, direction: next })}
      />
      <button
        type="button"
        className="button"
        data-kind="quiet"
        aria-label={`Remove the objective ${evaluationMetrics[metric].title}`}
        onClick={() => onChange(null)}
      >
        Remove
      </button>
    </li>
  );
};

export const ObjectiveFields = (props: {
  readonly objectives: readonly Objective[];
  /** The attacks of the sweep, without those whose settings are wrong. */
  readonly runs: readonly AttackSpec[];
  readonly names: readonly AttackName[];
  readonly issues: Issues;
  readonly onChange: (objectives: readonly Objective[]) => void;
}) => {
  const { objectives, runs, names, issues, onChange } = props;
  const usual = usualMetricAmong(runs, undefined);
  const replace = (at: number, objective: Objective | null) =>
    onChange(objectives.flatMap((other, i) => (i === at ? (objective ?? []) : [other])));
  const add = () => {
    const taken = objectives.map(({ metric }) => metric);
    onChange([...objectives, { metric: taken.includes(usual) ? 'cleanAccuracy' : usual }]);
  };
  const ofAll = issues.get('objective') ?? null;
  return (
    <section className="objectives">
      <h3>
        {objectives.length > 1 ? 'Objectives' : 'Objective'}{' '}
        <span className="muted" style={{ fontWeight: 400 }}>
          It ranks the trials, and a search improves it.
        </span>
      </h3>
      {objectives.length === 0 ? (
        <p className="muted small">
          The worst case over these attacks, by {inSentence(evaluationMetrics[usual].title)}.
        </p>
      ) : (
        <ul className="stack">
          {objectives.map((objective, at) => (
            <ObjectiveRow
              key={at}
              objective={objective}
              path={objectives.length === 1 ? 'objective' : `objective[${at}]`}
              runs={runs}
              names={names}
              issues={issues}
              onChange={(changed) => replace(at, changed)}
            />
          ))}
        </ul>
      )}
      {ofAll === null ? null : <p className="field-error">{ofAll}</p>}
      {objectives.length >= maxObjectives ? null : (
        <button type="button" className="button" data-size="small" onClick={add}>
          {objectives.length === 0 ? 'Choose an objective' : 'Add an objective'}
        </button>
      )}
    </section>
  );
};
