/** Random numbers from a seed, so that a failing request can be repeated, and strange values that every route must survive. */
export type Random = {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  /** 0 … below - 1 */
  readonly below: (below: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly chance: (share: number) => boolean;
};

const { FUNNEL_FUZZ_PAIRS, FUNNEL_FUZZ_SEED } = process.env;
/** `npm run fuzz` sets the variables of the fuzz. `npm test` and `.ci/run` leave them out, and run the short version. The long version also prints what it measured. */
export const isLong = FUNNEL_FUZZ_PAIRS !== undefined;
export const seed = Number(FUNNEL_FUZZ_SEED ?? 1);

/** mulberry32 */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { next, below, pick: (items) => items[below(items.length)]!, chance: (share) => next() < share };
};

const texts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff x',
  '𝟘𝟙 γβ',
  '\u202e\u2028',
  '../../etc/passwd',
  "' OR 1=1 --",
  '"; DROP TABLE sweeps; --',
  '%',
  '_%',
  '\\',
  '$1',
  '{}',
  '[]',
  'null',
  'NaN',
  '-0',
  '1e400',
  '0x10',
  '__proto__',
  'constructor',
  'toString',
  '<script>alert(1)</script>',
  '1,2,3',
  'gamma:1..',
  'gamma:..',
  'gamma:NaN',
  'gamma:1e400..-1e400',
  'beta:1..0',
  'x'.repeat(101),
  'x'.repeat(5000),
];

const numbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  2 ** 63,
  1.5,
  99,
  100_001,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

export const strangeText = (random: Random): string => random.pick(texts);
export const strangeNumber = (random: Random): number => random.pick(numbers);

const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)]);

export const strangeValue = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => strangeText(random),
    () => strangeNumber(random),
    () => null,
    () => true,
    () => [],
    () => ({}),
    () => [strangeText(random), strangeNumber(random)],
    () => ({ [strangeText(random)]: strangeNumber(random) }),
    () => ({ min: strangeNumber(random), max: strangeNumber(random), count: strangeNumber(random) }),
    () => ({ min: 1, max: 2, step: 1e-9 }),
    () => nested(20 + random.below(60)),
  ])();
