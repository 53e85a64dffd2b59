/** The white-box attacks that others are compared with, at the L∞ budget. */
import type { AttackInput } from '@funnel/contracts';
import { type CheckContext, hits } from './context.ts';

export const pgdAt = (
  epsilon: number,
  changes: Partial<Extract<AttackInput, { attack: 'pgd-linf' }>> = {},
): AttackInput => ({
  attack: 'pgd-linf',
  epsilon,
  ...changes,
});

/** Images that PGD on the cross-entropy, PGD on the margin, or FMN fool within the L∞ budget. */
export const whiteBoxHits = async ({ evaluate, budgets }: CheckContext): Promise<Set<number>> => {
  const crossEntropy = await evaluate(pgdAt(budgets.linf));
  const margin = await evaluate(pgdAt(budgets.linf, { loss: 'margin' }));
  const minimal = await evaluate('fmn-linf');
  const near = [...hits(minimal)].filter((i) => minimal.records.linf[i]! <= budgets.linf);
  return new Set([...hits(crossEntropy), ...hits(margin), ...near]);
};
