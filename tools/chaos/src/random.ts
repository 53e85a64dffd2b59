/** Random numbers from a seed, so that a failed run can be repeated with the same faults. (The timing of the processes is not repeatable.) */
export type Random = {
  readonly below: (count: number) => number;
  readonly between: (low: number, high: number) => number;
};

/** mulberry32 (T. Ettinger, public domain). */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (count) => Math.floor(uniform() * count),
    between: (low, high) => low + uniform() * (high - low),
  };
};
