import { convolutions } from './convolutions.ts';
import { arithmetic, comparisons, elementwise } from './elementwise.ts';
import { images, products } from './images-and-products.ts';
import { movements } from './movements.ts';
import { reductions } from './reductions.ts';
import type { OperatorCase } from './use.ts';

const cases: readonly OperatorCase[] = [
  ...elementwise,
  ...arithmetic,
  ...comparisons,
  ...reductions,
  ...movements,
  ...convolutions,
  ...images,
  ...products,
];

/** All cases by the name of the operator, in alphabetical order. */
export const casesOf: ReadonlyMap<string, readonly OperatorCase[]> = new Map(
  [...new Set(cases.map(({ operator }) => operator))]
    .toSorted()
    .map((operator) => [operator, cases.filter((one) => one.operator === operator)]),
);
