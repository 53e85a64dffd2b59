import { EvaluationMetricName, evaluationMetrics } from '@funnel/contracts';
import type { ReactNode } from 'react';
import type { SweepResults } from './use-sweep-results.ts';

/** What the trials are judged by. */
export const ObjectiveTools = ({
  data,
  children,
}: {
  readonly data: SweepResults;
  readonly children?: ReactNode;
}) => (
  <div className="results-tools">
    <label className="label">
      Judge by
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
