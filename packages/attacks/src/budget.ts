/** The ball that a result must stay in. */
import { type AttackSpec, attacks } from '@funnel/contracts';
import type { Norm } from './norms.ts';

export type Budget = { readonly norm: Norm; readonly epsilon: number };

/** Undefined for an attack that minimises: it is judged by how far it had to go. */
export const budgetOf = ({ attack, settings }: AttackSpec): Budget | undefined => {
  const { family, norm } = attacks[attack];
  if (
    family !== 'fixed' ||
    norm === 'l0' ||
    !('epsilon' in settings) ||
    ('search' in settings && settings.search)
  )
    return undefined;
  return { norm, epsilon: settings.epsilon };
};
