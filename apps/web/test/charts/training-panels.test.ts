import { expect, it } from 'vitest';
import { panelsOf, type TrialCurves } from '../../src/charts/training-panels.ts';

const trial = (...names: readonly string[]): TrialCurves => ({
  name: 'a',
  colour: 0,
  series: names.map((name) => ({ kind: 'classify', name, epochs: [1], values: [0.5] })),
});

const panelsWith = (...trials: readonly TrialCurves[]) =>
  panelsOf(trials).map(({ title, metrics }) => [title, ...metrics]);

it('a title speaks of a faint curve only where one is drawn', () => {
  expect(panelsWith(trial('cleanAccuracy'), trial('cleanAccuracy', 'trainAccuracy'))).toEqual([
    ['Accuracy: clean, and training (faint)', 'cleanAccuracy', 'trainAccuracy'],
  ]);
  expect(panelsWith(trial('cleanAccuracy', 'attackedAccuracy'))).toEqual([
    ['Training accuracy under attack', 'attackedAccuracy'],
    ['Clean accuracy', 'cleanAccuracy'],
  ]);
});

it('no chart is empty', () => {
  const empty = {
    ...trial(),
    series: [{ kind: 'classify' as const, name: 'cleanAccuracy', epochs: [], values: [] }],
  };
  expect(panelsWith(trial(), empty)).toEqual([]);
});
