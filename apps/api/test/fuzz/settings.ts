/** How long the fuzz is. `npm run fuzz` sets these variables; `npm test` and `.ci/run` leave them out, and run the short version. */
const { env } = process;

/** The long version also prints what it measured. */
export const isLong = env.FUNNEL_FUZZ_PAIRS !== undefined;
export const seed = Number(env.FUNNEL_FUZZ_SEED ?? 1);
export const requests = Number(env.FUNNEL_FUZZ_REQUESTS ?? 1500);
export const pairs = Number(env.FUNNEL_FUZZ_PAIRS ?? 150);
export const sweeps = Number(env.FUNNEL_FUZZ_SWEEPS ?? 10);
/** The share of the extremes that are sent alone: all of them with 20,000 pairs. */
export const share = Math.min(1, pairs / 20_000);
