/** Reads a PNG or JPEG file of the visitor in this browser. The service never sees it. */
import { formatBytes, formatCount } from '../../format.ts';
import { scalePicture } from './scale-picture.ts';

const maxBytes = 32 * 2 ** 20;
/** As `funnel data add` has it. */
const maxPixels = 64_000_000;

/** The first bytes of a file. */
const signatures = [
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], // PNG
  [0xff, 0xd8, 0xff], // JPEG
] as const;

/** Throws an error that says why the file is none that the page reads. */
const checkFile = async (file: File): Promise<void> => {
  if (file.size > maxBytes)
    throw new Error(
      `Expected a picture of at most ${formatBytes(maxBytes)}, but ${file.name} has ${formatBytes(file.size)}.`,
    );
  const start = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  if (!signatures.some((bytes) => bytes.every((byte, i) => start[i] === byte)))
    throw new Error(`Expected a PNG or JPEG picture, but ${file.name} begins like neither.`);
};

/** The picture behind `url`. A browser reads its size first, and its pixels when they are drawn. */
const openPicture = async (url: string, name: string): Promise<HTMLImageElement> => {
  const picture = new Image();
  await new Promise<void>((resolve, reject) => {
    picture.onload = () => resolve();
    picture.onerror = () => reject(new Error(`Expected a whole picture, but ${name} cannot be read.`));
    picture.src = url;
  });
  const { naturalWidth: width, naturalHeight: height } = picture;
  if (width * height > maxPixels)
    throw new Error(
      `Expected at most ${formatCount(maxPixels)} pixels, but ${name} has ${formatCount(width)} × ${formatCount(height)}.`,
    );
  return picture;
};

/** The longer side of the picture that `scalePicture` gets. The browser scales larger ones to it first, which is faster. */
const maxSide = 2048;

/**
 * The picture in the shape of a data set with 1 or 3 channels, [height × width × channels] in [0, 1]: turned upright, transparent pixels on
 * black. Throws an error for a file that is no such picture, or too large.
 */
export const readPicture = async (
  file: File,
  shape: readonly [number, number, number],
): Promise<Float32Array> => {
  await checkFile(file);
  const url = URL.createObjectURL(file);
  try {
    const picture = await openPicture(url, file.name);
    const scale = Math.min(1, maxSide / Math.max(picture.naturalWidth, picture.naturalHeight));
    const [width, height] = [picture.naturalWidth, picture.naturalHeight].map((side) =>
      Math.max(1, Math.round(scale * side)),
    ) as [number, number];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.imageSmoothingQuality = 'high';
    context.fillRect(0, 0, width, height); // black
    context.drawImage(picture, 0, 0, width, height);
    return scalePicture(context.getImageData(0, 0, width, height), shape);
  } finally {
    URL.revokeObjectURL(url);
  }
};
