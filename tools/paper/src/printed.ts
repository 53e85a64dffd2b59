/** The percentages and noise levels of Table 2 and §4.3 of the paper, as printed. `printedFaults` computes what follows from them. */

import type { AttackInput } from '@funnel/contracts';
import { list } from './format.ts';

export type Printed = {
  readonly success: number;
  readonly noise: number | null;
  /** True when the paper prints “near 100 %”. */
  readonly near?: true;
};

export type PrintedRow = {
  readonly title: string;
  /** An attack of the preset `paper`. When the paper leaves open which attack it ran, each possible attack has a row with the same numbers. */
  readonly attack: AttackInput;
  readonly where: 'table' | 'text';
  readonly classic: Printed | null;
  readonly funn: Printed | null;
  readonly magnet: number | null;
};

const fgsm = { classic: { success: 0.41, noise: 0.07 }, funn: { success: 1.61, noise: 0.04 }, magnet: 3.2 };
const iterative = {
  classic: { success: 1.04, noise: 0.08 },
  funn: { success: 1.25, noise: 0.04 },
  magnet: 4.8,
};
const near = { success: 100, noise: null, near: true } as const;
const text = { where: 'text', classic: null, magnet: null } as const;

export const printedRows: readonly PrintedRow[] = [
  {
    title: 'DeepFool L2, 50 steps',
    attack: { attack: 'deepfool-l2', steps: 50 },
    where: 'table',
    classic: { success: 94.41, noise: 1.25 },
    funn: { success: 0.54, noise: 0.0075 },
    magnet: null,
  },
  {
    title: 'DeepFool L∞, 50 steps',
    attack: { attack: 'deepfool-linf', steps: 50 },
    where: 'table',
    classic: { success: 100, noise: 1.81 },
    funn: { success: 4.13, noise: 1.13 },
    magnet: 0.6,
  },
  {
    title: 'FGSM 0.005 (largest ε of a search)',
    attack: { attack: 'fgsm', search: true, epsilon: 0.005 },
    where: 'table',
    ...fgsm,
  },
  {
    title: 'FGSM 0.005 (fixed ε)',
    attack: { attack: 'fgsm', search: false, epsilon: 0.005 },
    where: 'table',
    ...fgsm,
  },
  {
    title: 'Iterative 0.005 (BIM, fixed ε)',
    attack: { attack: 'bim', search: false, epsilon: 0.005, stepSize: 0.001, steps: 10 },
    where: 'table',
    ...iterative,
  },
  {
    title: 'Iterative 0.005 (Iterative Gradient Sign)',
    attack: { attack: 'iterative-gradient-sign', epsilon: 0.005 },
    where: 'table',
    ...iterative,
  },
  {
    title: 'Single Pixel',
    attack: 'single-pixel',
    where: 'table',
    classic: { success: 9.17, noise: 1 },
    funn: { success: 4.72, noise: 1 },
    magnet: null,
  },
  {
    title: 'LocalSearch',
    attack: 'local-search',
    where: 'table',
    classic: { success: 44.41, noise: 5.22 },
    funn: { success: 27.51, noise: 9.71 },
    magnet: null,
  },
  {
    title: 'DeepFool L2, 200 steps',
    attack: { attack: 'deepfool-l2', steps: 200 },
    ...text,
    funn: { success: 1.35, noise: null },
  },
  {
    title: 'DeepFool L2, 1000 steps',
    attack: { attack: 'deepfool-l2', steps: 1000 },
    ...text,
    funn: { success: 15.25, noise: 0.73 },
  },
  {
    title: 'DeepFool L∞, 200 steps',
    attack: { attack: 'deepfool-linf', steps: 200 },
    ...text,
    funn: { success: 89.2, noise: null },
  },
  {
    title: 'Gradient Sign (search up to 1)',
    attack: 'fgsm',
    ...text,
    funn: near,
  },
  { title: 'Gradient (search up to 1)', attack: 'gradient', ...text, funn: near },
];

export const printedShare = ({ success, near: almost }: Printed): string =>
  almost ? 'near 100 %' : `${success.toFixed(2)} %`;

/** Returns true when some k of n images give this percentage, rounded to two decimals. */
export const isShareOf = (percent: number, n: number): boolean =>
  Math.abs(Math.round((percent / 100) * n) / n - percent / 100) <= 0.5e-4;

const clean = 966;

/** The printed row that one of our rows repeats: its title without the reading in parentheses. */
export const printedName = ({ title }: Pick<PrintedRow, 'title'>): string => title.split(' (')[0]!;

/** Each printed row once, although several of our rows may repeat it. */
const inTable = printedRows.filter(
  (row, i) => row.where === 'table' && printedName(row) !== printedName(printedRows[i - 1] ?? { title: '' }),
);

const fitting = (of: 'classic' | 'funn') =>
  inTable.filter((row) => {
    const printed = row[of]?.success;
    return printed !== undefined && printed < 100 && isShareOf(printed, clean);
  });

const denominators = (of: 'classic' | 'funn'): number[] =>
  Array.from({ length: 101 }, (_, i) => 900 + i).filter((n) =>
    inTable.every((row) => row[of] === null || isShareOf(row[of].success, n)),
  );

const proper = (of: 'classic' | 'funn') => inTable.filter((row) => (row[of]?.success ?? 100) < 100);

export const printedFaults = (): string[] => {
  const fits = fitting('classic').map(printedName);
  const funn = denominators('funn');
  return [
    `**The denominator.** ${fits.length} of the ${proper('classic').length} classic success rates below 100 % (${list(fits)}) are k/${clean} to the last printed digit, so the denominator is most likely the number of images classified correctly among the first 1000, at a clean accuracy of 96.6 %; we count the same way. The column “Our Method” ${funn.length === 0 ? 'fits no single denominator between 900 and 1000' : `fits the denominators ${list(funn.map(String))}`}.`,
    '**The MagNet column** looks transposed: 3.2 and 4.8 are 100 − 96.8 and 100 − 95.2, and MagNet reports 96.8 and 95.2 as accuracies *without* its defence; 0.6 is 100 − 99.4, an accuracy *with* it. With its defence, MagNet reports a success rate of about 0 % for the first two attacks as well. (The arithmetic is exact. MagNet’s accuracies are from memory, not checked against its text.) So agreement with this column says little.',
    '**Noise levels** are true L2 norms in [0, 1], averaged over successes: Single Pixel’s is 1.0, one pixel from black to white. β = 0.01 is a mean squared error per pixel, which corresponds to an L2 norm of 2.80. So the text compares numbers in different units where it compares a noise level of 0.0075 with β.',
    '**Signs of masked gradients in the printed table itself**: Single Pixel (4.72 %) fools more images than DeepFool L2 (0.54 %), although DeepFool may change every pixel and follows gradients. DeepFool L∞ rises from 4.13 % with 50 steps to 89.20 % with 200, although 50 steps fool every image on the plain auto-encoder. By the printed rates, FUNN is also weaker than the plain auto-encoder under FGSM (1.61 % against 0.41 %) and under the iterative attack (1.25 % against 1.04 %).',
  ];
};
