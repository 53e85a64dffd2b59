/**
 * What a classifier's answer to an image means: its class, and whether that is a mistake. Whoever counts clean images, hits of an attack,
 * or pictures asks here.
 */

/** In place of a class: the model gave none. It is neither right nor a mistake. */
export const noClass = -1;

/**
 * The class of one row of logits: that of the greatest one; the lowest of several equally great finite ones. An infinite logit is a class
 * where it stands alone. Returns `noClass` where a logit is NaN, where several are +∞, and where all are −∞: there softmax has no value.
 */
export const classOf = (logits: ArrayLike<number>): number => {
  let [best, ties] = [0, 0];
  for (let k = 0; k < logits.length; k++) {
    const value = logits[k]!;
    if (Number.isNaN(value)) return noClass;
    if (value > logits[best]!) [best, ties] = [k, 0];
    else if (value === logits[best] && k !== best) ties++;
  }
  if (Number.isFinite(logits[best])) return best;
  return logits[best]! > 0 && ties === 0 ? best : noClass;
};

/** The class of every row, of `rows × width` values of which the first `classes` of each row are its logits. */
export const classesOf = (values: Float32Array, classes: number, width = classes): Int32Array =>
  Int32Array.from({ length: values.length / width }, (_, row) =>
    classOf(values.subarray(row * width, row * width + classes)),
  );

/** Returns true when the model gives the image a class, and another than its label: only this is a hit of an attack. */
export const isMistake = (predicted: number, label: number): boolean =>
  predicted !== noClass && predicted !== label;
