/** How far a sweep is, in the same words everywhere. */
import type { Sweep } from './resources/sweeps.ts';
import { epochsOf } from './sweep-epochs.ts';
import { formatAmount } from './text.ts';

/** The number of percent, `17.9`, rounded down: work that is left never reads as `100`. */
export const progressPercent = (share: number): string =>
  share >= 1 ? '100' : (Math.floor(1000 * share + 1e-9) / 10).toFixed(1);

/** `3 of them in other sweeps`: epochs that another sweep was about to train when this one was submitted. Null without any. */
export const elsewhereText = ({ plan: { awaited } }: Pick<Sweep, 'plan'>): string | null =>
  awaited && awaited.epochs > 0 ? `${formatAmount(awaited.epochs)} of them in other sweeps` : null;

/** The epochs that sharing saves, and how many times more there would be without sharing: null if none is left to train. Null: it saves nothing. */
export const sharingOf = (
  sweep: Pick<Sweep, 'epochs' | 'epochsTrained' | 'plan'>,
): { readonly saved: number; readonly factor: number | null } | null => {
  const { unshared } = sweep.plan.epochs;
  const { total } = epochsOf(sweep);
  return unshared <= total
    ? null
    : { saved: unshared - total, factor: total === 0 ? null : unshared / total };
};
