/**
 * One axis of a 3-tap convolution of stride 2, with fewer multiplications: Winograd's F(2, 2) (1980) on the taps that neighbouring
 * outputs share.
 *
 * Output j is aⱼ·w₀ + bⱼ·w₁ + aⱼ₊₁·w₂, where a are the pixels under outer taps and b those under the middle one. Two outputs take
 *   n₀ = (aⱼ − aⱼ₊₁)·w₀ + bⱼ·w₁    n₁ = aⱼ₊₁·(w₀ + w₂)    n₂ = (aⱼ₊₂ − aⱼ₊₁)·w₂ + bⱼ₊₁·w₁
 *   yⱼ = n₀ + n₁                   yⱼ₊₁ = n₁ + n₂
 * five multiplications instead of six. An output at the rim, where one outer tap is on padding, takes two by itself.
 */
import type { Operator, Term } from './operator.ts';

/** The weights that go into the same sum, as sums of taps: those of n₀, n₁ and n₂. */
export const weightsOfSums: readonly Operator[] = [[[0], [1]], [[0, 2]], [[2], [1]]].map((weights) =>
  weights.map((taps) => taps.map((from) => ({ from, factor: 1 }))),
);

/** n₀, n₁ or n₂ of some outputs. */
export interface Sum {
  /** Which of them: its weights are `weightsOfSums[kind]`. */
  readonly kind: number;
  /** What each of its weights is multiplied with, in their order: pixels. */
  readonly factors: Operator;
  /** The outputs that it is part of. */
  readonly outputs: readonly Term[];
}

/** Undefined where outputs cannot be paired: then the plain convolution does as well. */
export function pairOutputs(pixels: number, outputs: number, padding: number): readonly Sum[] | undefined {
  const outer = (j: number): number => 2 * j - padding;
  const inside = (pixel: number): boolean => pixel >= 0 && pixel < pixels;
  const [rimAtStart, rimAtEnd] = [!inside(outer(0)), !inside(outer(outputs))];
  // As many rim outputs by themselves as leave an even number to pair.
  const odd = outputs % 2 === 1;
  const [first, last] =
    rimAtStart && rimAtEnd && !odd
      ? [1, outputs - 1]
      : odd && rimAtEnd
        ? [0, outputs - 1]
        : odd && rimAtStart
          ? [1, outputs]
          : [0, outputs];
  if ((last - first) % 2 === 1 || outputs < 2) return undefined;

  const [a, b] = [outer, (j: number): number => outer(j) + 1];
  const sums: Sum[] = [];
  /** Signed pixels, those on padding left out. */
  const pixelsOf = (...signed: readonly (readonly [number, number])[]): Term[] =>
    signed.filter(([pixel]) => inside(pixel)).map(([from, factor]) => ({ from, factor }));
  const add = (kind: number, outputs: readonly number[], ...factors: Term[][]): void => {
    sums.push({ kind, factors, outputs: outputs.map((from) => ({ from, factor: 1 })) });
  };
  if (first === 1) add(2, [0], pixelsOf([a(1), 1]), pixelsOf([b(0), 1]));
  for (let j = first; j < last; j += 2) {
    add(0, [j], pixelsOf([a(j), 1], [a(j + 1), -1]), pixelsOf([b(j), 1]));
    add(1, [j, j + 1], pixelsOf([a(j + 1), 1]));
    add(2, [j + 1], pixelsOf([a(j + 2), 1], [a(j + 1), -1]), pixelsOf([b(j + 1), 1]));
  }
  if (last === outputs - 1) add(0, [last], pixelsOf([a(last), 1]), pixelsOf([b(last), 1]));
  return sums.every(({ factors }) => factors.every((pixels) => pixels.length > 0)) ? sums : undefined;
}
