/** The checks that raise a flag. Several attacks of a trial often raise the same one, with the same words. */
import type { Diagnostic, Evaluation } from '@funnel/contracts';
import { attackLabel } from '../format.ts';

type RaisedFlag = {
  readonly check: Diagnostic;
  /** The attacks that raise it, in their order. */
  readonly attacks: readonly string[];
};

/** Each flag once, in the order of the attacks. */
export const raisedFlags = (
  evaluations: readonly Pick<Evaluation, 'attack' | 'settings' | 'diagnostics'>[],
): readonly RaisedFlag[] => {
  const flags = new Map<string, { readonly check: Diagnostic; readonly attacks: string[] }>();
  for (const evaluation of evaluations)
    for (const check of evaluation.diagnostics) {
      if (check.verdict === 'ok') continue;
      const key = JSON.stringify(check);
      const flag = flags.get(key) ?? { check, attacks: [] };
      flag.attacks.push(attackLabel(evaluation));
      flags.set(key, flag);
    }
  return [...flags.values()];
};
