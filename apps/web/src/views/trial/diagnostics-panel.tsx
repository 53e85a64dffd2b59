/** The checks of the attacks of a trial. A flag that several attacks raise alike is shown once. */
import {
  checkHeading,
  checkLabel,
  checksText,
  type Diagnostic,
  eachCheck,
  type TrialDetail,
} from '@funnel/contracts';
import { Panel } from '../../components/controls.tsx';
import { Verdict } from '../../components/status.tsx';
import { attackLabel, formatNumber, plural } from '../../format.ts';
import { raisedFlags } from '../../statistics/flags.ts';

const Check = ({
  check,
  attacks = [],
}: {
  readonly check: Diagnostic;
  readonly attacks?: readonly string[];
}) => (
  <li className="check-line">
    <span>
      <strong>{checkHeading(check)}.</strong> {check.detail}{' '}
      <span className="muted small">
        {[
          `${checkLabel(check.id)}${
            check.value === null
              ? ''
              : `: ${formatNumber(check.value)}, compared with ${formatNumber(check.threshold)}`
          }`,
          ...(attacks.length === 0 ? [] : [`under ${attacks.join('; ')}`]),
        ].join(' · ')}
      </span>
    </span>
    <Verdict verdict={check.verdict} brief />
  </li>
);

export const DiagnosticsPanel = ({ trial: { evaluations } }: { readonly trial: TrialDetail }) => {
  const flags = raisedFlags(evaluations);
  return (
    <Panel
      title="Can you trust these numbers?"
      note="A defence that hides its gradients looks robust to weak attacks. These checks test whether that happened here."
    >
      <p className="muted small">{checksText(eachCheck(evaluations))}</p>
      {flags.length === 0 ? null : (
        <ul className="check-flags">
          {flags.map(({ check, attacks }) => (
            <Check key={JSON.stringify(check)} check={check} attacks={attacks} />
          ))}
        </ul>
      )}
      <div className="check-groups">
        {evaluations.map((evaluation) => {
          const passed = evaluation.diagnostics.filter(({ verdict }) => verdict === 'ok');
          return passed.length === 0 ? null : (
            <details key={evaluation.stage} className="check-group">
              <summary>
                {attackLabel(evaluation)}: {plural(passed.length, 'check')} that{' '}
                {passed.length === 1 ? 'raises' : 'raise'} no flag
              </summary>
              <ul>
                {passed.map((check) => (
                  <Check key={check.id} check={check} />
                ))}
              </ul>
            </details>
          );
        })}
      </div>
    </Panel>
  );
};
