/** The checks of the attacks of a trial. A flag that several attacks raise alike is shown once. */
import {
  checkHeading,
  checkLabel,
  checkRemedy,
  checksText,
  countReason,
  countVerdicts,
  type Diagnostic,
  eachCheck,
  singleStepText,
  type TrialDetail,
  totalOf,
} from '@funnel/contracts';
import { Panel } from '../../components/controls.tsx';
import { WithCode } from '../../components/states.tsx';
import { Verdict, verdictLabels } from '../../components/status.tsx';
import { attackLabel, formatNumber } from '../../format.ts';
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
      {check.verdict === 'ok' ? null : <WithCode text={`What to do: ${checkRemedy(check.id)} `} />}
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

type Judged = Pick<TrialDetail, 'verdict' | 'perClass' | 'data'>;

/** Too few images, or a classifier that may guess: then no attack says how robust the trial is, whatever the checks found. */
const CountFlag = ({ trial: { verdict, perClass, data } }: { readonly trial: Judged }) => {
  const reason = countReason(verdict, perClass && totalOf(perClass), data.classes.length);
  if (reason === null || (verdict !== 'too-few' && verdict !== 'untrained')) return null;
  const title = verdictLabels[verdict];
  return (
    <ul className="check-flags">
      <li className="check-line">
        <span>
          <strong>{`${title[0]!.toUpperCase()}${title.slice(1)}.`}</strong> So the leaderboard ranks this
          trial below the others: {reason}.{' '}
          <WithCode text={`What to do: ${countVerdicts[verdict].remedy}.`} />
        </span>
        <Verdict verdict={verdict} brief />
      </li>
    </ul>
  );
};

export const DiagnosticsPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const { evaluations } = trial;
  const flags = raisedFlags(evaluations);
  const single = singleStepText(evaluations);
  return (
    <Panel
      title="Can you trust these numbers?"
      note="A defence that hides its gradients looks robust to weak attacks. These checks test whether that happened here."
    >
      <CountFlag trial={trial} />
      <p className="muted small">{checksText(eachCheck(evaluations))}</p>
      {single === null ? null : <p className="muted small">{single}</p>}
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
                {attackLabel(evaluation)}: {checksText(passed, { isBrief: true })}
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
