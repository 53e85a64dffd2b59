import { type Diagnostic, diagnostics, type Evaluation, type TrialDetail } from '@funnel/contracts';
import { attackLabel } from '../../attack-label.ts';
import { Panel } from '../../components/panel.tsx';
import { Verdict } from '../../components/verdict.tsx';
import { formatNumber } from '../../format.ts';

const Check = ({ check }: { readonly check: Diagnostic }) => (
  <li className="check-line">
    <span>
      <strong>{diagnostics[check.id].title}.</strong> {check.detail}{' '}
      {check.value === null ? null : (
        <span className="muted small">
          {formatNumber(check.value)}, compared with {formatNumber(check.threshold)}
        </span>
      )}
    </span>
    <Verdict verdict={check.verdict} brief />
  </li>
);

const sentence = (flagged: number, total: number): string => {
  if (total === 0) return 'No check was computed.';
  if (flagged === 0) return `None of ${total} checks raises a flag.`;
  return `${flagged} of ${total} checks ${flagged === 1 ? 'raises a flag' : 'raise flags'}.`;
};

const Group = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const flagged = evaluation.diagnostics.filter(({ verdict }) => verdict !== 'ok');
  const passed = evaluation.diagnostics.filter(({ verdict }) => verdict === 'ok');
  return (
    <section className="check-group">
      <h3>{attackLabel(evaluation)}</h3>
      <p className="muted small">{sentence(flagged.length, evaluation.diagnostics.length)}</p>
      {flagged.length === 0 ? null : (
        <ul>
          {flagged.map((check) => (
            <Check key={check.id} check={check} />
          ))}
        </ul>
      )}
      {passed.length === 0 ? null : (
        <details>
          <summary>{passed.length} without a flag</summary>
          <ul>
            {passed.map((check) => (
              <Check key={check.id} check={check} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
};

export const DiagnosticsPanel = ({ trial }: { readonly trial: TrialDetail }) => (
  <Panel
    title="Can these numbers be believed?"
    note="A defence that hides its gradients looks robust to weak attacks. These checks ask whether that happened here."
  >
    <div className="check-groups">
      {trial.evaluations.map((evaluation) => (
        <Group key={evaluation.stage} evaluation={evaluation} />
      ))}
    </div>
  </Panel>
);
