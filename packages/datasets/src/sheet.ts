/** The sheet of sample images: a row for each class, from top to bottom in the order of the labels. */
import { type DatasetContent, datasetLayout } from '@funnel/contracts';
import { readExactly, withFile } from './files.ts';
import { encodePng, type Pixels } from './images/decode.ts';

const [perClass, maxRows] = [10, 40];
/** The side of a sample in pixels, and the space between samples. */
const [side, gap] = [56, 4];

/** Draws an image of [height, width, channels] into a cell, each pixel as often as it fits. Two channels: the first is grey. */
const drawCell = (
  sheet: Uint8Array,
  width: number,
  left: number,
  top: number,
  { shape, pixels }: Pixels,
): void => {
  const [imageHeight, imageWidth, channels] = shape;
  const larger = Math.max(imageHeight, imageWidth);
  const [cellHeight, cellWidth] = [imageHeight, imageWidth].map((size) =>
    Math.max(1, Math.round((side * size) / larger)),
  );
  for (let y = 0; y < cellHeight!; y++)
    for (let x = 0; x < cellWidth!; x++) {
      const row = Math.floor((y * imageHeight) / cellHeight!);
      const column = Math.floor((x * imageWidth) / cellWidth!);
      const from = (row * imageWidth + column) * channels;
      for (let colour = 0; colour < 3; colour++)
        sheet[((top + y) * width + left + x) * 3 + colour] = pixels[from + (channels < 3 ? 0 : colour)]!;
    }
};

/** The indices of the first images of each class among the labels, 16 bits each. */
const samplesOf = (labels: Buffer, classes: number): readonly number[][] => {
  const found = Array.from({ length: Math.min(classes, maxRows) }, (): number[] => []);
  for (let i = 0; 2 * i < labels.length; i++) {
    const samples = found[labels.readUInt16LE(2 * i)];
    if (samples && samples.length < perClass) samples.push(i);
  }
  return found;
};

/** A PNG file with the first training images of each class of a canonical file; of the first 40 classes, if there are more. */
export const drawSheet = (path: string, content: DatasetContent): Promise<Uint8Array> =>
  withFile(path, async (file) => {
    const layout = datasetLayout(content);
    const labels = await readExactly(
      path,
      file,
      layout.labels.train,
      layout.labels.test - layout.labels.train,
    );
    const rows = samplesOf(labels, content.classes.length);
    const [height, width] = [rows.length * (side + gap) + gap, perClass * (side + gap) + gap];
    const sheet = new Uint8Array(height * width * 3).fill(128);
    for (const [row, samples] of rows.entries())
      for (const [column, index] of samples.entries()) {
        const pixels = await readExactly(
          path,
          file,
          layout.pixels.train + index * layout.imageBytes,
          layout.imageBytes,
        );
        const image: Pixels = { shape: content.shape, pixels };
        drawCell(sheet, width, gap + column * (side + gap), gap + row * (side + gap), image);
      }
    return encodePng({ shape: [height, width, 3], pixels: sheet });
  });
