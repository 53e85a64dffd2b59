import { expect, it } from 'vitest';
import { href, parseLocation } from '../src/router.ts';

it('reads back every address that it writes', () => {
  const address = href(['sweeps', 'a/b c', 'results'], { trials: '3.17', attack: '', stage: undefined });
  const { path, query } = parseLocation(address.slice(1));
  expect(path).toEqual(['sweeps', 'a/b c', 'results']);
  expect(Object.fromEntries(query)).toEqual({ trials: '3.17' });
});

it('has no path at the root', () => {
  expect(parseLocation('/').path).toEqual([]);
});
