/** H4, H6, H17: with no budget to keep to, every model falls. */
import { type Check, type CheckContext, diagnostic, isCertain, withstood } from './context.ts';
import { pgdAt } from './white-box.ts';

/** H4 = the greater of A(1) and A(½) − 0.1, where A is accuracy under PGD in L∞: every pixel may change to anything; flagged above 0. */
export const unboundedSucceeds: Check = async ({ evaluate, labels }) => {
  const [all, grey] = [withstood(await evaluate(pgdAt(1))), withstood(await evaluate(pgdAt(0.5)))];
  const value = Math.max(all, grey - 0.1);
  const detail = `Accuracy of ${labels.length} images under PGD is ${all.toFixed(3)} at L∞ 1 (0 expected) and ${grey.toFixed(3)} at L∞ 0.5 (at most 0.1).`;
  return [
    diagnostic('H4', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** H17 = share of images that FMN, which has no budget, does not fool (Pintor et al. 2022, I6); flagged above 0. */
export const unconstrainedSucceeds: Check = async ({ evaluate, labels }) => {
  const value = withstood(await evaluate('fmn-l2'));
  const detail = `${(100 * value).toFixed(1)} % of ${labels.length} images withstand FMN, whose budget is unlimited.`;
  return [
    diagnostic('H17', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/**
 * H6 = share of images whose minimal L2 perturbation is said to be larger than their distance to another image, which the model gives
 * another class: that image is the smaller perturbation. Flagged above 0 (Carlini et al. 2019, §5).
 */
export const distancesArePlausible: Check = async (context) => {
  const { evaluate, labels } = context;
  const [minimal, deepfool] = [await evaluate('fmn-l2'), await evaluate('deepfool-l2')];
  const least = (i: number): number =>
    Math.min(
      minimal.records.l2[i] ?? Number.POSITIVE_INFINITY,
      deepfool.records.l2[i] ?? Number.POSITIVE_INFINITY,
    );
  const impossible = Array.from(labels.keys()).filter((i) => least(i) > nearestOther(context, i));
  const value = labels.length === 0 ? 0 : impossible.length / labels.length;
  const detail = `For ${impossible.length} of ${labels.length} images the least L2 found exceeds the distance to an image of another class.`;
  return [
    diagnostic('H6', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** L2 to the nearest of the images that has another label; all are classified as labelled. */
const nearestOther = ({ values, labels, model: { width } }: CheckContext, image: number): number => {
  let nearest = Number.POSITIVE_INFINITY;
  for (let other = 0; other < labels.length; other++) {
    if (labels[other] === labels[image]) continue;
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (values[image * width + i]! - values[other * width + i]!) ** 2;
    nearest = Math.min(nearest, Math.sqrt(squares));
  }
  return nearest;
};
