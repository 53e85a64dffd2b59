/** The function of every declared attack. The file does not compile while an attack is missing. */
import type { AttackName } from '@funnel/contracts';
import type { Attack } from './attack.ts';
import { apgdCe, apgdTargeted } from './attacks/apgd.ts';
import { bim } from './attacks/bim.ts';
import { carliniWagner } from './attacks/carlini-wagner.ts';
import { deepfool } from './attacks/deepfool.ts';
import { fab } from './attacks/fab.ts';
import { feature } from './attacks/feature.ts';
import { fgsm, gradient } from './attacks/fgsm.ts';
import { fmn } from './attacks/fmn.ts';
import { hopSkipJump } from './attacks/hop-skip-jump.ts';
import { iterativeGradient } from './attacks/iterative-gradient.ts';
import { localSearch } from './attacks/local-search.ts';
import { noise } from './attacks/noise.ts';
import { pgd } from './attacks/pgd.ts';
import { singlePixel } from './attacks/single-pixel.ts';
import { square } from './attacks/square.ts';
import { transfer } from './attacks/transfer.ts';

export const attacks = {
  'deepfool-l2': deepfool('l2'),
  'deepfool-linf': deepfool('linf'),
  fgsm,
  gradient,
  'iterative-gradient-sign': iterativeGradient('sign'),
  'iterative-gradient': iterativeGradient('rms'),
  bim: bim('linf'),
  'bim-l2': bim('l2'),
  'pgd-linf': pgd('linf'),
  'pgd-l2': pgd('l2'),
  'apgd-ce-linf': apgdCe('linf'),
  'apgd-ce-l2': apgdCe('l2'),
  'apgd-t-linf': apgdTargeted('linf'),
  'apgd-t-l2': apgdTargeted('l2'),
  'single-pixel': singlePixel,
  'local-search': localSearch,
  'cw-l2': carliniWagner,
  'fab-t-linf': fab('linf'),
  'fab-t-l2': fab('l2'),
  'square-linf': square('linf'),
  'square-l2': square('l2'),
  'fmn-l2': fmn('l2'),
  'fmn-linf': fmn('linf'),
  'hop-skip-jump-l2': hopSkipJump,
  'feature-linf': feature('linf'),
  'feature-l2': feature('l2'),
  'transfer-linf': transfer('linf'),
  'transfer-l2': transfer('l2'),
  'noise-linf': noise('linf'),
  'noise-l2': noise('l2'),
} satisfies { readonly [Name in AttackName]: Attack<Name> };
