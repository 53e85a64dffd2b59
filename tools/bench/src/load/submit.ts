import type { SweepInput } from '@funnel/contracts';
import type { HttpClient } from './http.ts';

const perSeed = 50;

/** `trials` FUNN trials (a multiple of 50): γ × β, and as many seeds as it takes; `round` makes it another one. */
export const largeSweep = (trials: number, round: number): SweepInput => ({
  name: `load ${round}`,
  dataset: { name: 'mnist' },
  space: {
    gamma: Array.from({ length: 10 }, (_, i) => i + 1),
    beta: Array.from({ length: 5 }, (_, i) => (i + 1) / 100),
    latent: 64 + round,
  },
  seeds: Math.max(1, Math.round(trials / perSeed)),
  attacks: ['fgsm'],
});

export type Submissions = { readonly trials: number; readonly seconds: readonly number[] };

/** One after the other, each of trials that nobody has seen. */
export const timeSubmissions = async (
  http: HttpClient,
  trials: number,
  rounds: number,
): Promise<Submissions> => {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await http.call('POST', '/v1/sweeps', { body: largeSweep(trials, round), status: 201 });
    seconds.push(Math.round(performance.now() - begun) / 1000);
  }
  return { trials, seconds };
};
