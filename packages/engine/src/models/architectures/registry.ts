/**
 * The architectures of encoders and generators. The code does not compile if `contracts/hyperparameters` has an architecture that is missing
 * here.
 */
import type { Hyperparameters } from '@funnel/contracts';
import type { AutoEncoder } from './blocks.ts';
import { convolutional } from './convolutional.ts';
import { mlp } from './mlp.ts';
import { residual } from './residual.ts';

export const architectures: Readonly<Record<Hyperparameters['architecture'], AutoEncoder>> = {
  convolutional,
  mlp,
  residual,
};
