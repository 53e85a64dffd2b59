/** Streams of random numbers. Each has a name, a list of words, and is the same on every machine. */
import { hash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export type Random = {
  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** A uniform whole number in [0, bound); bound ≤ 2³². */
  readonly below: (bound: number) => number;
  /** An index, with a probability proportional to its weight. The weights have a positive sum. */
  readonly weighted: (weights: ArrayLike<number>) => number;
};

/**
 * The stream that `words` name. A proposal draws from a stream that the seed, the strategy, the number of the proposal and the number of the
 * attempt name, so it never depends on what other proposals drew.
 */
export const createRandom = (...words: readonly (string | number)[]): Random => {
  const digest = hash('sha256', JSON.stringify(words), 'buffer');
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  // The high bits of the generator are better than its low bits.
  const uniform = (): number => {
    const high = generator.next() >>> 5;
    return (high * 2 ** 26 + (generator.next() >>> 6)) * 2 ** -53;
  };
  // Box–Muller. 1 − u lies in (0, 1], so the logarithm is finite.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const below = (bound: number): number => Math.floor(uniform() * bound);
  const weighted = (weights: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]!;
    let rest = uniform() * sum;
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i]!;
      if (rest < 0) return i;
    }
    return weights.length - 1; // rounding left a rest of almost 0
  };
  return { uniform, normal, below, weighted };
};
