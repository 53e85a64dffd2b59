import type { Verdict as VerdictName } from '@funnel/contracts';

const words: Record<VerdictName, string> = { ok: 'no flags', suspect: 'suspect', masked: 'masked gradients' };
const meaning: Record<VerdictName, string> = {
  ok: 'No check of the evaluation raised a flag.',
  suspect: 'A check asks to look before believing this number.',
  masked: 'The attack failed because gradients are masked, not because the model is robust.',
};

/** What the checks say of an evaluation: a robustness number is never shown without it. */
export const Verdict = ({
  verdict,
  brief = false,
}: {
  readonly verdict: VerdictName | null;
  readonly brief?: boolean;
}) => {
  if (verdict === null || (brief && verdict === 'ok')) return null;
  return (
    <span className="verdict" data-verdict={verdict} title={meaning[verdict]}>
      {verdict === 'ok' ? null : <span aria-hidden="true">{verdict === 'masked' ? '◪' : '?'}</span>}
      {brief && verdict === 'masked' ? 'masked' : words[verdict]}
    </span>
  );
};
