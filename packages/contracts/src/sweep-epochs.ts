import type { Sweep } from './resources/sweeps.ts';

/** The epochs of a sweep, by whichever sweep; answers of older versions have only those of its own plan. */
export const epochsOf = ({
  epochs,
  epochsTrained,
  plan,
}: Pick<Sweep, 'epochs' | 'epochsTrained' | 'plan'>): { readonly done: number; readonly total: number } =>
  epochs ?? { done: epochsTrained, total: plan.epochs.needed };
