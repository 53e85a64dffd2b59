/**
 * The printed slowness of DeepFool: few successes with 50 steps, many with more. The bounds lie on the side of 50 steps above the printed rates
 * (0.54 % and 4.13 %) and on the side of more steps below them (15.25 % and 89.20 %), so a configuration as slow as the paper's is inside.
 */
import type { Configuration, Measured } from '../measured.ts';

export type SlowPair = {
  readonly norm: string;
  readonly few: string;
  readonly many: string;
  /** Shares. */
  readonly below: number;
  readonly atLeast: number;
};

export const slowPairs: readonly SlowPair[] = [
  { norm: 'L2', few: 'DeepFool L2, 50 steps', many: 'DeepFool L2, 1000 steps', below: 0.05, atLeast: 0.1 },
  { norm: 'L∞', few: 'DeepFool L∞, 50 steps', many: 'DeepFool L∞, 200 steps', below: 0.1, atLeast: 0.8 },
];

export type Rise = {
  readonly configuration: Configuration;
  readonly few: Measured;
  readonly many: Measured;
};

export const riseOf = (configuration: Configuration, pair: SlowPair): Rise | null => {
  const of = (title: string) =>
    configuration.rows.find(({ printed }) => printed.title === title)?.measured ?? null;
  const [few, many] = [of(pair.few), of(pair.many)];
  return few !== null && many !== null ? { configuration, few, many } : null;
};

export const isSlow = ({ few, many }: Rise, { below, atLeast }: SlowPair): boolean =>
  few.success.mean < below && many.success.mean >= atLeast;

/** The share of images by which more steps raise the success. */
export const heightOf = ({ few, many }: Rise): number => many.success.mean - few.success.mean;
