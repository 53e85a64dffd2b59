/** What the printed table says about itself, by arithmetic. */
import { list } from './format.ts';
import { isShareOf, printedRows } from './printed.ts';

const clean = 966;

/** Each printed row once: readings share their numbers. */
const inTable = printedRows.filter(
  ({ where, title }, i) =>
    where === 'table' && title.split(' (')[0] !== printedRows[i - 1]?.title.split(' (')[0],
);
const short = (title: string): string => title.split(' (')[0]!;

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
  const fits = fitting('classic').map(({ title }) => short(title));
  const funn = denominators('funn');
  return [
    `**The denominator.** ${fits.length} of the ${proper('classic').length} classic success rates below 100 % (${list(fits)}) are k/${clean} to the last printed digit, so the denominator is most likely the number of images classified correctly among the first 1000, at a clean accuracy of 96.6 %; we count the same way. The column “Our Method” ${funn.length === 0 ? 'fits no single denominator between 900 and 1000' : `fits the denominators ${list(funn.map(String))}`}.`,
    '**The MagNet column** looks transposed: 3.2 and 4.8 are 100 − 96.8 and 100 − 95.2, which are MagNet’s accuracies *without* its defence, where 0.6 is 100 − 99.4, one with it; with the defence MagNet reports about 0 % on the first two as well. (The arithmetic is exact; MagNet’s accuracies are as recalled, not checked against its text.) So we print no comparison with it.',
    '**Noise levels** are true L2 norms in [0, 1], averaged over successes: Single Pixel’s is 1.0, one pixel from black to white. β = 0.01 is on the scale of a mean squared error per pixel, which is an L2 norm of 2.80: the text’s comparison of a noise level of 0.0075 with β compares two units.',
    '**Signs of masked gradients in the printed table itself**: Single Pixel (4.72 %) fools more images than DeepFool L2 (0.54 %), which may change every pixel and follows gradients; DeepFool L∞ goes from 4.13 % to 89.20 % between 50 and 200 steps, though on the plain auto-encoder 50 steps are printed as enough for every image. FUNN is also printed as weaker than the plain auto-encoder under FGSM (1.61 % against 0.41 %) and under the iterative attack (1.25 % against 1.04 %).',
  ];
};
