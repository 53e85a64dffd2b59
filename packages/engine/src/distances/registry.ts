/**
 * L of equations 3–5 (Vigouroux & Picard). The paper calls L Euclidean, and its printed numbers fit no reading of the word exactly, so L is
 * a hyperparameter; other distances are the paper's future work. The code does not compile if `contracts/hyperparameters` has a distance
 * that is missing here.
 */
import type { Hyperparameters } from '@funnel/contracts';
import type { Distance } from './distance.ts';
import { huber } from './huber.ts';
import { l1 } from './l1.ts';
import { halfMse, mse, norm } from './squared-error.ts';
import { ssim } from './ssim.ts';

export const distances: Readonly<Record<Hyperparameters['lossScale'], Distance>> = {
  mse,
  'half-mse': halfMse,
  norm,
  l1,
  huber,
  ssim,
};
