import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Decision } from '../../src/views/try-it/decision.tsx';

const classes = ['shirt', 'sneaker', 'sandal'];
const [shirt, sneaker, sandal] = [0, 1, 2];

const textOf = (clean: number, attacked: number, truth: number | null): string =>
  renderToStaticMarkup(createElement(Decision, { clean, attacked, truth, classes })).replace(/<[^>]*>/g, '');

it.each([
  [sneaker, sneaker, null, 'The decision holds: sneaker.'],
  [sneaker, sandal, null, 'The decision changes: sneaker becomes sandal.'],
  [sneaker, sneaker, sneaker, 'The decision holds: sneaker, which is right.'],
  [sneaker, sandal, sneaker, 'The decision changes: sneaker, which is right, becomes sandal.'],
  [
    sneaker,
    sneaker,
    shirt,
    'Wrong before the attack: the label is shirt, the model says sneaker. The attack does not change that. Evaluations count this image as a mistake, not as fooled.',
  ],
  [
    sneaker,
    sandal,
    shirt,
    'Wrong before the attack: the label is shirt, the model says sneaker. The attack changes that to sandal. Evaluations count this image as a mistake, not as fooled.',
  ],
  [
    sneaker,
    shirt,
    shirt,
    'Wrong before the attack: the label is shirt, the model says sneaker. The attack changes that to shirt, which is right. Evaluations count this image as a mistake, not as fooled.',
  ],
  [-1, -1, shirt, 'No decision: the output of the model is not a number here.'],
])('the model says %i, then %i, and the label is %s', (clean, attacked, truth, text) => {
  expect(textOf(clean, attacked, truth)).toBe(text);
});

it('is marked when the decision is wrong or changes', () => {
  const marked = (clean: number, attacked: number, truth: number | null) =>
    renderToStaticMarkup(createElement(Decision, { clean, attacked, truth, classes })).includes(
      'data-fooled',
    );
  expect(marked(sneaker, sneaker, sneaker)).toBe(false);
  expect(marked(sneaker, sandal, sneaker)).toBe(true);
  expect(marked(sneaker, sneaker, shirt)).toBe(true);
});
