import { expect, it } from 'vitest';
import { decodeParams, href, parseAddress } from '../src/router.ts';

it('reads every address that it writes', () => {
  const address = href(['sweeps', 'a/b c:1', 'results'], { trials: '3.17', attack: '', stage: undefined });
  const { path, query } = parseAddress(address.slice(1));
  // wouter decodes a path in this way before it matches the routes.
  const [, page, id, tab] = decodeURI(path).split('/');
  expect(page).toBe('sweeps');
  expect(decodeParams({ id, tab })).toEqual({ id: 'a/b c:1', tab: 'results' });
  expect(Object.fromEntries(query)).toEqual({ trials: '3.17' });
});

it('has the path / without an address', () => {
  expect(parseAddress('').path).toBe('/');
  expect(parseAddress('/?status=running').path).toBe('/');
});

it('keeps a part that is no encoded text, so that its page can say that it finds nothing', () => {
  expect(decodeParams({ id: '100%', tab: '%E0%A4%A' })).toEqual({ id: '100%', tab: '%E0%A4%A' });
});
