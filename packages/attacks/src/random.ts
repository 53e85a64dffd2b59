/**
 * Seeded random numbers. A path such as (seed, attack, image index, restart) names a stream, and the stream depends on nothing else. The
 * draws of an image therefore do not depend on its batch or on the other images.
 */

/** The finaliser of murmur3: every input bit affects every output bit. */
const mix = (value: number): number => {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const absorb = (state: number, part: number): number => mix(Math.imul(state, 31) + part + 0x9e3779b9);

/** A 32-bit hash of a path. Different lanes give independent hashes. */
const hashPath = (path: readonly (string | number)[], lane: number): number => {
  let state = mix(lane + 1);
  for (const part of path) {
    if (typeof part === 'string') {
      for (let i = 0; i < part.length; i++) state = absorb(state, part.charCodeAt(i));
      state = absorb(state, 0x53);
    } else {
      state = absorb(state, part >>> 0);
      state = absorb(state, Math.floor(part / 2 ** 32) >>> 0);
    }
  }
  return state;
};

export type Random = {
  /** Uniform in [0, 1), with 32 random bits. */
  readonly uniform: () => number;
  /** Uniform integer in [0, below). */
  readonly integer: (below: number) => number;
  /** Standard normal (Box–Muller). */
  readonly normal: () => number;
  /** A permutation of 0 … length − 1 (Fisher–Yates). */
  readonly permutation: (length: number) => Int32Array;
};

/** The generator sfc32 (Chris Doty-Humphrey), seeded by the path. */
export const createRandom = (...path: readonly (string | number)[]): Random => {
  let a = hashPath(path, 0);
  let b = hashPath(path, 1);
  let c = hashPath(path, 2);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const uniform = () => next() / 2 ** 32;
  const integer = (below: number) => Math.floor(uniform() * below);
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const permutation = (length: number): Int32Array => {
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = integer(i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  };
  return { uniform, integer, normal, permutation };
};
