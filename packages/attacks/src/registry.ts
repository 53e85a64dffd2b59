/** Every declared attack and what runs it. */
import type { AttackName } from '@funnel/contracts';
import type { Attack } from './attack.ts';
import { deepfool } from './attacks/deepfool.ts';
import { fgsm, gradient } from './attacks/fgsm.ts';

export const attacks = {
  'deepfool-l2': deepfool('l2'),
  'deepfool-linf': deepfool('linf'),
  fgsm,
  gradient,
} as { readonly [Name in AttackName]: Attack<Name> };
