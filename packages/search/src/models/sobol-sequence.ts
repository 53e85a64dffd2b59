/**
 * The Sobol sequence with the direction numbers of Joe & Kuo (2008, `new-joe-kuo-6.21201`), and Owen's scrambling by hashes (Burley 2020,
 * "Practical hash-based Owen scrambling"). Any 2ᵏ points that start at a multiple of 2ᵏ have one point in each interval of length 2⁻ᵏ of each
 * dimension.
 */

/** One row for each dimension from the second: the degree s, the coefficients a, and the initial numbers m₁ … mₛ. */
const directionRows = `
1 0 1|2 1 1 3|3 1 1 3 1|3 2 1 1 1|4 1 1 1 3 3|4 4 1 3 5 13|5 2 1 1 5 5 17|5 4 1 1 5 5 5|5 7 1 1 7 11 19|5 11 1 1 5 1 1
5 13 1 1 1 3 11|5 14 1 3 5 5 31|6 1 1 3 3 9 7 49|6 13 1 1 1 15 21 21|6 16 1 3 1 13 27 49|6 19 1 1 1 15 7 5
6 22 1 3 1 15 13 25|6 25 1 1 5 5 19 61|7 1 1 3 7 11 23 15 103|7 4 1 3 7 13 13 15 69|7 7 1 1 3 13 7 35 63
7 8 1 3 5 9 1 25 53|7 14 1 3 1 13 9 35 107|7 19 1 3 1 5 27 61 31|7 21 1 1 5 11 19 41 61|7 28 1 3 5 3 3 13 69
7 31 1 1 7 13 1 19 1|7 32 1 3 7 5 13 19 59|7 37 1 1 3 9 25 29 41|7 41 1 3 5 13 23 1 55|7 42 1 3 7 3 13 59 17
7 50 1 3 1 3 5 53 69|7 55 1 1 5 5 23 33 13|7 56 1 1 7 7 1 61 123|7 59 1 1 7 9 13 61 49|7 62 1 3 3 5 3 55 33
8 14 1 3 1 15 31 13 49 245|8 21 1 3 5 15 31 59 63 97|8 22 1 3 1 11 11 11 77 249|8 38 1 3 1 11 27 43 71 9
8 47 1 1 7 15 21 11 81 45|8 49 1 3 7 3 25 31 65 79|8 50 1 3 1 1 19 11 3 205|8 52 1 1 5 9 19 21 29 157
8 56 1 3 7 11 1 33 89 185|8 67 1 3 3 3 15 9 79 71|8 70 1 3 7 11 15 39 119 27|8 84 1 1 3 1 11 31 97 225
8 97 1 1 1 3 23 43 57 177|8 103 1 3 7 7 17 17 37 71|8 115 1 3 1 5 27 63 123 213|8 122 1 1 3 5 11 43 53 133`;

const bits = 32;

/** The 32 direction numbers of a row, from the recurrence of Joe & Kuo (2008), eq. 2 and 3. */
const directionsOf = ([degree, coefficients, ...initial]: readonly number[]): Uint32Array => {
  const directions = new Uint32Array(bits);
  for (let k = 0; k < bits; k++) {
    if (k < degree!) {
      directions[k] = initial[k]! << (bits - 1 - k);
      continue;
    }
    let direction = directions[k - degree!]! ^ (directions[k - degree!]! >>> degree!);
    for (let j = 1; j < degree!; j++)
      if ((coefficients! >>> (degree! - 1 - j)) & 1) direction ^= directions[k - j]!;
    directions[k] = direction;
  }
  return directions;
};

/** The directions of every dimension. The first is van der Corput's sequence. */
const directions: readonly Uint32Array[] = [
  Uint32Array.from({ length: bits }, (_, k) => 1 << (bits - 1 - k)),
  ...directionRows
    .trim()
    .split(/[|\n]/)
    .map((row) => directionsOf(row.split(' ').map(Number))),
];

export const maxDimensions = directions.length;

/** The coordinate of a point, as a number of 32 bits after the binary point. */
export const sobolBits = (index: number, dimension: number): number => {
  let result = 0;
  for (let k = 0, rest = index; rest > 0; k++, rest >>>= 1)
    if (rest & 1) result ^= directions[dimension]![k]!;
  return result >>> 0;
};

const reverseBits = (value: number): number => {
  let x = value;
  x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return ((x >>> 16) | (x << 16)) >>> 0;
};

/** Laine & Karras' hash: each bit of the result depends on the bits below it, so on reversed bits it is an Owen scrambling. */
const scrambled = (value: number, seed: number): number => {
  let x = reverseBits(value);
  x = (x + seed) | 0;
  x ^= Math.imul(x, 0x6c50b47c);
  x ^= Math.imul(x, 0xb82f1e52);
  x ^= Math.imul(x, 0xc7afe638);
  x ^= Math.imul(x, 0x8d22f6e6);
  return reverseBits(x);
};

/** The scrambled point `index` < 2³²; `seeds`: a number of 32 bits for each dimension. Every coordinate lies inside (0, 1). */
export const sobolPoint = (index: number, seeds: readonly number[]): Float64Array =>
  Float64Array.from(
    seeds,
    (seed, dimension) => (scrambled(sobolBits(index, dimension), seed) + 0.5) / 2 ** bits,
  );
