/** Every declared attack and what runs it. */
import type { AttackName } from '@funnel/contracts';
import type { Attack } from './attack.ts';
import { bim } from './attacks/bim.ts';
import { deepfool } from './attacks/deepfool.ts';
import { fgsm, gradient } from './attacks/fgsm.ts';
import { iterativeGradient } from './attacks/iterative-gradient.ts';
import { localSearch } from './attacks/local-search.ts';
import { singlePixel } from './attacks/single-pixel.ts';

export const attacks = {
  'deepfool-l2': deepfool('l2'),
  'deepfool-linf': deepfool('linf'),
  fgsm,
  gradient,
  'iterative-gradient-sign': iterativeGradient('sign'),
  'iterative-gradient': iterativeGradient('rms'),
  bim: bim('linf'),
  'bim-l2': bim('l2'),
  'single-pixel': singlePixel,
  'local-search': localSearch,
} as { readonly [Name in AttackName]: Attack<Name> };
