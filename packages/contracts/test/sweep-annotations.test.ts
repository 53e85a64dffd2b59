import { describe, expect, test } from 'vitest';
import { AnnotateSweep, routes } from '../src/index.ts';

const read = (input: unknown) => AnnotateSweep.parse(input);
const faultsOf = (input: unknown) =>
  AnnotateSweep.safeParse(input).error?.issues.map(({ path, message }) => [path.join('.'), message]);

describe('tags', () => {
  test('have one spelling, keep their order, and count once', () => {
    expect(read({ tags: [' Paper/V2\n', 'eps:0.1', 'baseline', 'paper/v2'] })).toEqual({
      tags: ['paper/v2', 'eps:0.1', 'baseline'],
    });
    expect(read({ tags: [] })).toEqual({ tags: [] });
  });

  test('are at most 20, counted without repetitions', () => {
    const names = Array.from({ length: 20 }, (_, i) => `tag-${i}`);
    expect(read({ tags: [...names, ...names] })).toEqual({ tags: names });
    expect(faultsOf({ tags: [...names, 'one-more'] })).toEqual([['tags', expect.stringContaining('20')]]);
  });

  test.each(['', ' ', '-a', '+a', '.a', 'a b', 'a,b', 'é', 'x'.repeat(41), '\u202ea'])(
    '%j is none',
    (tag) => {
      expect(faultsOf({ tags: ['good', tag] })).toEqual([
        ['tags.1', expect.stringMatching(/^Expected 1 to 40 of the characters/)],
      ]);
    },
  );
});

test('notes are lines of text, at most 10,000 characters', () => {
  const notes = `γ = 5 wins.\n\tSee the paper.\n${'x'.repeat(9900)}`;
  expect(read({ notes })).toEqual({ notes });
  expect(read({ notes: 'a\r\nb\rc' })).toEqual({ notes: 'a\nb\nc' });
  expect(read({ notes: '' })).toEqual({ notes: '' });
  expect(faultsOf({ notes: 'x'.repeat(10_001) })).toEqual([['notes', expect.stringContaining('10000')]]);
  expect(faultsOf({ notes: 'a\u001b[2J' })).toEqual([
    ['notes', 'Expected a text without control characters, but got \\x1b'],
  ]);
});

test('an annotation has notes, tags or both, and nothing else', () => {
  const nothing = 'Expected `notes`, `tags`, `addTags` or `removeTags`, but got none of them';
  expect(faultsOf({})).toEqual([['', nothing]]);
  expect(read({ addTags: ['A', 'a'], removeTags: ['b'] })).toEqual({ addTags: ['a'], removeTags: ['b'] });
  expect(faultsOf({ tags: ['a'], addTags: ['b'], removeTags: ['c'] })).toEqual([
    ['addTags', 'Expected `tags` without `addTags`, but got both'],
    ['removeTags', 'Expected `tags` without `removeTags`, but got both'],
  ]);
  expect(faultsOf({ addTags: ['a', 'b'], removeTags: ['B'] })).toEqual([
    ['removeTags', 'Expected other tags than those of `addTags`, but got b in both'],
  ]);
  expect(faultsOf({ notes: 'x', name: 'new' })).toHaveLength(1);
});

test('a query gives one tag or several', () => {
  expect(routes.listSweeps.query.parse({ tag: 'A' })).toMatchObject({ tag: ['a'] });
  expect(routes.createSweep.query.parse({ tag: ['a', 'b', 'A'] })).toEqual({ tag: ['a', 'b'] });
  expect(routes.createSweep.query.parse({})).toEqual({ tag: [] });
});
