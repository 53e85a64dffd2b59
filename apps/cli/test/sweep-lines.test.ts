/** Mistakes in a sweep file come with the line. */
import { expect, it } from 'vitest';
import { placesIn } from '../src/sweep-lines.ts';

const text = `name: x
x-short: &short { train: 5 }
dataset: { name: glyphs, <<: *short }
space:
  gamma:
    - 1
    - -5
  beta: { min: 1,
          max: 0 }
`;

it.each<[string, number | null]>([
  ['name', 1],
  ['space.gamma', 5],
  ['space.gamma[1]', 7],
  ['space.beta.max', 9],
  ['dataset.train', 3], // written elsewhere, but used here
  ['space.gama', 4],
  ['seeds', null],
  ['', null],
])('%s', (path, line) => {
  expect(placesIn(text)(path)).toBe(line);
});

it('a value of --set has the option as its place', () => {
  const placeOf = placesIn(text, [
    { path: ['space', 'gamma'], value: [1] },
    { path: ['space', 'gamma'], value: [-1] },
    { path: ['search', 'trials'], value: 0 },
  ]);
  expect(['space.gamma[0]', 'space.beta.max', 'search.trials', 'search', 'seeds', ''].map(placeOf)).toEqual([
    '--set space.gamma',
    9,
    '--set search.trials',
    '--set search.trials',
    null,
    null,
  ]);
});
