/** The problems of `bench search`, on which fixtures/oracle/search/optuna.json has Optuna's figures. All are minimised. */
import type { Point, Space, Variable } from '@funnel/search';

export type SearchProblem = {
  readonly space: Space;
  /** One value for each objective; less is better. */
  readonly values: (point: Point) => readonly number[];
};

const real = (name: string, min: number, max: number, scale: 'linear' | 'log' = 'linear'): Variable => ({
  name,
  dimension: { min, max, scale },
});
const reals = (count: number, min: number, max: number): Variable[] =>
  Array.from({ length: count }, (_, index) => real(`x${index}`, min, max));

const numbersOf = (point: Point): number[] => Object.values(point).map(Number);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Dixon & Szegö (1978); the minimum is 0.397887. */
const branin: SearchProblem = {
  space: [real('x', -5, 10), real('y', 0, 15)],
  values: (point) => {
    const [x, y] = numbersOf(point) as [number, number];
    const bracket = y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6;
    return [bracket ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10];
  },
};

/** The centres and widths of the four wells of Hartmann's function in six dimensions. */
const wells = [
  { depth: 1, widths: [10, 3, 17, 3.5, 1.7, 8], centre: [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886] },
  {
    depth: 1.2,
    widths: [0.05, 10, 17, 0.1, 8, 14],
    centre: [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  },
  { depth: 3, widths: [3, 3.5, 1.7, 10, 17, 8], centre: [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665] },
  {
    depth: 3.2,
    widths: [17, 8, 0.05, 10, 0.1, 14],
    centre: [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
  },
];

/** The minimum is −3.32237. */
const hartmann6: SearchProblem = {
  space: reals(6, 0, 1),
  values: (point) => {
    const x = numbersOf(point);
    return [
      -sum(
        wells.map(
          ({ depth, widths, centre }) =>
            depth * Math.exp(-sum(x.map((value, i) => widths[i]! * (value - centre[i]!) ** 2))),
        ),
      ),
    ];
  },
};

const rosenbrock4: SearchProblem = {
  space: reals(4, -2, 2),
  values: (point) => {
    const x = numbersOf(point);
    return [sum(x.slice(0, -1).map((value, i) => 100 * (x[i + 1]! - value ** 2) ** 2 + (1 - value) ** 2))];
  },
};

const kindCosts: Readonly<Record<string, number>> = { a: 0, b: 0.5, c: 1 };

const mixed: SearchProblem = {
  space: [
    real('rate', 1e-5, 1e-1, 'log'),
    { name: 'units', dimension: { min: 16, max: 256, scale: 'linear' }, isWhole: true },
    { name: 'kind', dimension: Object.keys(kindCosts) },
    ...reals(3, 0, 1),
  ],
  values: ({ rate, units, kind }) => {
    const exponent = Math.log10(Number(rate));
    const bowl = (exponent + 2.7) ** 2 + ((Number(units) - 96) / 64) ** 2;
    return [bowl + kindCosts[String(kind)]! + 0.3 * Math.sin(5 * exponent)];
  },
};

const sparse10: SearchProblem = {
  space: reals(10, -1, 1),
  values: (point) => {
    const x = numbersOf(point);
    const rest = sum(x.slice(3).map((value) => (value - 0.1) ** 2));
    return [4 * (x[0]! - 0.3) ** 2 + 2 * (x[1]! + 0.5) ** 2 + (x[2]! - 0.7) ** 2 + 0.05 * rest];
  },
};

/** Zitzler, Deb & Thiele (2000), with six variables. */
export const zdt1: SearchProblem = {
  space: reals(6, 0, 1),
  values: (point) => {
    const x = numbersOf(point);
    const g = 1 + (9 * sum(x.slice(1))) / 5;
    return [x[0]!, g * (1 - Math.sqrt(x[0]! / g))];
  },
};
/** Hypervolumes of zdt1 are taken against this point. */
export const zdt1Reference = [1.1, 6];

/** Learning curves that cross: a loss that falls fast at first ends higher. */
export const curves = {
  space: [real('a', 0, 1), real('b', 0, 1)] as Space,
  loss: ({ a, b }: Point, epochs: number): number => {
    const [x, y] = [Number(a), Number(b)];
    return 0.1 + (x - 0.3) ** 2 + 0.15 * y + (0.9 - 0.15 * y) * epochs ** (-0.35 - 0.5 * y);
  },
};

export const searchProblems = { branin, hartmann6, rosenbrock4, mixed, sparse10 } satisfies Readonly<
  Record<string, SearchProblem>
>;
