/** The checks of an evaluation (H1 to H22): can a low success rate be believed? */
import {
  type AttackSpec,
  budgetsOf,
  checkBudgets,
  type DiagnosticsReport,
  threatModelOf,
} from '@funnel/contracts';
import { createProgress } from '../output/progress.ts';
import type { Output } from '../output/terminal.ts';
import { reasonOf } from './run.ts';
import type { Subject } from './subject.ts';

/** A report, or the reason why there is none. */
export type Checks =
  | { readonly diagnosis: DiagnosticsReport }
  | { readonly diagnosis: null; readonly noDiagnosis: string };

type CheckOptions = {
  readonly seed: number;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Why results that need gradients cannot be trusted. Then no check could say more. */
  readonly fault: string | null;
};

/** Runs the checks on the first images that the model classifies correctly. */
export const runChecks = async (
  { classifier, given, source }: Subject,
  attacks: readonly AttackSpec[],
  { seed, output, signal, fault }: CheckOptions,
): Promise<Checks> => {
  if (fault !== null) return { diagnosis: null, noDiagnosis: fault };
  const { diagnose } = await import('@funnel/attacks');
  const progress = createProgress(output);
  // Images of the user have no usual budgets, so the checks take those of the attacks.
  const budgets = source.budgets
    ? checkBudgets(attacks, source.budgets)
    : { ...budgetsOf(), ...threatModelOf(attacks) };
  try {
    signal.throwIfAborted();
    const diagnosis = await diagnose({
      model: classifier,
      ...given,
      indices: source.indices,
      budgets,
      seed,
      signal,
      onProgress: (at) => progress.draw('checks', at),
    });
    output.note(`checks: ${progress.end()}`);
    return { diagnosis };
  } catch (error) {
    progress.end();
    return { diagnosis: null, noDiagnosis: reasonOf(error, signal) };
  }
};
