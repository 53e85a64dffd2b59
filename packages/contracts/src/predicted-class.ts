/**
 * The class that a classifier gives to an image, and the test whether it is a mistake. Every count of correct clean images and of an
 * attack's hits uses these functions.
 */

/** The result for an image to which the model gives no class. It is neither right nor a mistake. */
export const noClass = -1;

/**
 * The class of one row of logits: the index of the largest logit, or the lowest index if several finite logits are the largest. A single +∞
 * is the largest. Returns `noClass` if a logit is NaN, if several are +∞, or if all are −∞: softmax then has no value.
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

/** The class of every row of `values` [rows, width]; the first `classes` values of a row are its logits. */
export const classesOf = (values: Float32Array, classes: number, width = classes): Int32Array =>
  Int32Array.from({ length: values.length / width }, (_, row) =>
    classOf(values.subarray(row * width, row * width + classes)),
  );

/** True when the model gives the image a class that differs from its label: only this is a hit of an attack. */
export const isMistake = (predicted: number, label: number): boolean =>
  predicted !== noClass && predicted !== label;
