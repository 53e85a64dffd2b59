import { describe, expect, it } from 'vitest';
import { lettersOf, lettersText } from '../src/index.ts';

describe('letters', () => {
  it('of rows that differ from their second neighbour on', () => {
    expect(lettersOf(5, (a, b) => Math.abs(a - b) > 1)).toEqual(['a', 'ab', 'bc', 'cd', 'd']);
  });

  it('of rows that are all alike, or all different', () => {
    expect(lettersOf(3, () => false)).toEqual(['a', 'a', 'a']);
    expect(lettersOf(3, () => true)).toEqual(['a', 'b', 'c']);
    expect(lettersOf(0, () => true)).toEqual([]);
    expect(lettersOf(1, () => true)).toEqual(['a']);
  });

  it('are in common for exactly the pairs that are alike, in whatever order the differences come', () => {
    const differing = new Set(['0 6', '0 7', '1 4', '1 6', '1 7', '2 6']);
    const letters = lettersOf(8, (a, b) => differing.has(`${Math.min(a, b)} ${Math.max(a, b)}`))!;
    for (let a = 0; a < 8; a++)
      for (let b = a + 1; b < 8; b++) {
        const share = [...letters[a]!].some((letter) => letters[b]!.includes(letter));
        expect([a, b, share]).toEqual([a, b, !differing.has(`${a} ${b}`)]);
      }
  });

  it('has none where the alphabet is too short', () => {
    // Row i differs from its partner only: 2⁶ = 64 largest sets.
    expect(lettersOf(12, (a, b) => a >> 1 === b >> 1)).toBeNull();
  });

  it('shows three in a row as a range', () => {
    expect(['a', 'ab', 'abc', 'acde', ''].map(lettersText)).toEqual(['a', 'ab', 'a–c', 'ac–e', '']);
  });
});
