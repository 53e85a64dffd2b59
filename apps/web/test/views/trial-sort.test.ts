import type { EvaluationMetricName } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { createObjective } from '../../src/statistics/objective.ts';
import { clickOn, sortOf } from '../../src/views/sweep/trial-sort.ts';

const of = (metric: EvaluationMetricName, attack = '') => createObjective(attack, metric);
const value = { key: 'value', number: true };

it('each metric begins with its best, whichever came before it', () => {
  const sorts = (['medianL2', 'successRate', 'robustAccuracy', 'noiseLevel', 'cleanAccuracy'] as const).map(
    (metric) => sortOf(null, of(metric)),
  );
  expect(sorts).toEqual([
    { key: 'value', descending: true },
    { key: 'value', descending: false },
    { key: 'value', descending: true },
    { key: 'value', descending: true },
    { key: 'clean', descending: true },
  ]);
});

it('a click reverses the values of one objective, and no others', () => {
  const success = of('successRate');
  const worstFirst = clickOn(value, sortOf(null, success), success);
  expect(sortOf(worstFirst, success)).toMatchObject({ key: 'value', descending: true });
  expect(sortOf(worstFirst, of('successRate', 'fgsm'))).toEqual({ key: 'value', descending: false });
  const upwards = clickOn(value, sortOf(null, of('medianL2')), of('medianL2'));
  expect(sortOf(upwards, of('medianL2'))).toMatchObject({ key: 'value', descending: false });
  expect(sortOf(upwards, of('robustAccuracy'))).toEqual({ key: 'value', descending: true });
});

it('a click on another column stays when the metric changes; a later one on the values shows the best first', () => {
  const [robust, success] = [of('robustAccuracy'), of('successRate')];
  const byStatus = clickOn({ key: 'status' }, sortOf(null, robust), robust);
  expect(sortOf(byStatus, success)).toMatchObject({ key: 'status', descending: false });
  expect(clickOn(value, sortOf(byStatus, success), success)).toMatchObject({
    key: 'value',
    descending: false,
  });
});
