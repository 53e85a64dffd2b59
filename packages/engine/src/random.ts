/** Streams of random numbers. Each has a name, a list of words, and is the same on every machine and backend. */
import { createHash } from 'node:crypto';

/** A stream of random numbers. Uniform values are exact in float32. */
export type Random = {
  /** The next 32 random bits. */
  readonly bits: () => number;
  /** Uniform in [0, 1), a multiple of 2⁻²⁴. */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** A uniform integer in [0, bound), without bias; bound ≤ 2³². */
  readonly below: (bound: number) => number;
};

/** xoshiro128** 1.1 (Blackman & Vigna, 2018): the next 32 random bits from a state that is not all 0. */
export const xoshiro128 = (state: readonly [number, number, number, number]): (() => number) => {
  let [a, b, c, d] = state;
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
};

/**
 * The stream that `words` name. All random numbers of the engine come from such streams, named by the seed, the kind of stage, the epoch, the
 * step and the purpose of the numbers. They never depend on what was drawn before. So a run that resumes in the middle of an epoch draws
 * the same numbers as one that ran through, and two trials that differ in one hyperparameter draw the same numbers.
 */
export const createRandom = (...words: readonly (string | number)[]): Random => {
  const digest = createHash('sha256').update(JSON.stringify(words)).digest();
  const word = (at: number): number => digest.readInt32LE(4 * at);
  const bits = xoshiro128([word(0), word(1), word(2), word(3)]);
  const uniform = (): number => (bits() >>> 8) * 2 ** -24;
  const below = (bound: number): number => {
    const rejected = 2 ** 32 % bound; // without this, small values would be more likely than large ones
    let value = bits();
    while (value < rejected) value = bits();
    return value % bound;
  };
  // Box–Muller. 1 − u lies in (0, 1], so the logarithm is finite.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { bits, uniform, normal, below };
};

/** The numbers 0 … count − 1 in random order (Fisher–Yates). */
export const shuffled = (random: Random, count: number): Uint32Array => {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
};

/** `count` values, uniform in [−1, 1). */
export const uniformNoise = (random: Random, count: number): Float32Array => {
  const noise = new Float32Array(count);
  for (let i = 0; i < count; i++) noise[i] = random.uniform() * 2 - 1;
  return noise;
};

/** `count` values, standard normal. */
export const normalNoise = (random: Random, count: number): Float32Array => {
  const noise = new Float32Array(count);
  for (let i = 0; i < count; i++) noise[i] = random.normal();
  return noise;
};
