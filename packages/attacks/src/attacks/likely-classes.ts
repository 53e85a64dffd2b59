import type { AttackContext } from '../attack.ts';

/** Slot j holds every image's j-th most likely class but its own, by the clean logits: `[classes − 1][n]`. */
export const likelyClasses = async (
  { model, images, labels }: Pick<AttackContext, 'model' | 'images' | 'labels'>,
  classes: number,
): Promise<Int32Array[]> => {
  const slots = Math.min(classes, model.classes) - 1; // the label itself is the likeliest: images are classified correctly
  const logits = model.logits(images);
  const values = await logits.data<'float32'>();
  logits.dispose();
  const ranked = Array.from(labels, (label, row) => {
    const z = values.subarray(row * model.classes, (row + 1) * model.classes);
    return Array.from(z.keys())
      .filter((k) => k !== label)
      .sort((a, b) => z[b]! - z[a]! || a - b);
  });
  return Array.from({ length: slots }, (_, slot) =>
    Int32Array.from(ranked, (classesOfRow) => classesOfRow[slot]!),
  );
};
