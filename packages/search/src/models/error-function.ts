/**
 * The complementary error function. (1 + 2x)·erfcx(x) is smooth in t = (x − k) / (x + k), so few Chebyshev polynomials of t give all its digits
 * (Shepherd & Laframboise 1981). Their coefficients are computed here, from a slow and exact expansion.
 */

/** exp(x²)·erfc(x) for x ≥ 0: near 0 by the series of erf (Abramowitz & Stegun 7.1.6), else by a continued fraction (7.1.14). */
const slowErfcx = (x: number): number => {
  if (x < 0.5) {
    let term = (2 / Math.sqrt(Math.PI)) * x;
    let sum = 0;
    for (let n = 1; n < 40; n++) {
      sum += term;
      term *= (2 * x * x) / (2 * n + 1);
    }
    return Math.exp(x * x) - sum;
  }
  let fraction = x;
  for (let n = 2_000; n > 0; n--) fraction = x + n / 2 / fraction;
  return 1 / (fraction * Math.sqrt(Math.PI));
};

const k = 3.75;
const terms = 24;

/** The values at the Chebyshev nodes of t. */
const nodes = Array.from({ length: terms }, (_, node) => {
  const t = Math.cos((Math.PI * (node + 0.5)) / terms);
  const x = (k * (1 + t)) / (1 - t);
  return (1 + 2 * x) * slowErfcx(x);
});

const coefficients = Float64Array.from({ length: terms }, (_, degree) => {
  const sum = nodes.reduce(
    (total, value, node) => total + value * Math.cos((Math.PI * degree * (node + 0.5)) / terms),
    0,
  );
  return ((degree === 0 ? 1 : 2) / terms) * sum;
});

/** exp(x²)·erfc(x) for x ≥ 0: Clenshaw's recurrence. */
export const erfcx = (x: number): number => {
  const t = (x - k) / (x + k);
  let next = 0;
  let afterNext = 0;
  for (let degree = terms - 1; degree > 0; degree--) {
    const here = coefficients[degree]! + 2 * t * next - afterNext;
    afterNext = next;
    next = here;
  }
  return (coefficients[0]! + t * next - afterNext) / (1 + 2 * x);
};

/** 1 − erf(x), to full relative accuracy also where it is tiny. */
export const erfc = (x: number): number => (x < 0 ? 2 - erfc(-x) : x > 27 ? 0 : Math.exp(-x * x) * erfcx(x));
