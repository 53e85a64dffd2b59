/** Images of a source as pixels of one shape: decodes pictures, scales, and changes between grey and colour. */
import { maxImageChannels, maxImageSide } from '@funnel/contracts';
import { DatasetFault, refuseFile } from '../fault.ts';
import type { Images, Picture, Shape } from '../source.ts';
import { toColour, toGrey } from './colour.ts';
import {
  decodePicture,
  type Geometry,
  maxPixels,
  type OpenPicture,
  openPicture,
  type Pixels,
  scalePixels,
  sizeText,
} from './decode.ts';

/** Pictures that are decoded side by side, unless they have more pixels together than one may have. */
const sideBySide = 8;

/** What the pictures of a data set have in common, which the first picture decides. */
export type Common = { readonly path: string; readonly shape: Shape };

/** An image in the channels of `common`. `path` names the image in errors. */
const withChannels = (
  path: string,
  { shape, pixels }: Pixels,
  { path: first, shape: [, , channels] }: Common,
  geometry: Geometry,
): Pixels => {
  const [height, width, given] = shape;
  if (given === channels) return { shape, pixels };
  if (given === 1 && channels === 3) return { shape: [height, width, 3], pixels: toColour(pixels) };
  if (given === 3 && channels === 1 && geometry.channels === 1)
    return { shape: [height, width, 1], pixels: toGrey(pixels) };
  if (given === 3 && channels === 1)
    return refuseFile(
      path,
      `expected a grey picture like the first one, ${first}, but got a coloured one: --colour or --grey makes all alike`,
    );
  return refuseFile(path, `expected 1 or 3 channels for --grey and --colour, but got ${given}`);
};

const checkShape = (path: string, shape: Shape, common: Common): void => {
  if (shape[0] !== common.shape[0] || shape[1] !== common.shape[1])
    refuseFile(
      path,
      `expected ${sizeText(common.shape)} pixels as in ${common.path}, but got ${sizeText(shape)}: --size HEIGHTxWIDTH scales all images`,
    );
};

export type Tally = {
  /** Pictures with an alpha channel. */
  alpha: number;
};

async function* decodePictures(
  pictures: AsyncIterable<Picture>,
  geometry: Geometry,
  common: Common,
  tally: Tally,
): AsyncGenerator<Uint8Array> {
  const decode = async (picture: OpenPicture): Promise<Uint8Array> => {
    const decoded = await decodePicture(picture, geometry);
    checkShape(picture.path, decoded.shape, common);
    return withChannels(picture.path, decoded, common, geometry).pixels;
  };
  let waiting: OpenPicture[] = [];
  let pixels = 0;
  for await (const picture of pictures) {
    const opened = await openPicture(picture);
    if (opened.hasAlpha) tally.alpha++;
    if (waiting.length === sideBySide || pixels + opened.pixels > maxPixels) {
      yield* await Promise.all(waiting.map(decode));
      [waiting, pixels] = [[], 0];
    }
    waiting.push(opened);
    pixels += opened.pixels;
  }
  yield* await Promise.all(waiting.map(decode));
}

/** The shape before the options change it, and the first image's name. */
const firstOf = async (path: string, images: Images, geometry: Geometry): Promise<Common> => {
  if (images.kind === 'pixels') return { path: images.path, shape: images.shape };
  for await (const picture of images.pictures())
    return { path: picture.path, shape: (await decodePicture(await openPicture(picture), geometry)).shape };
  return refuseFile(path, 'expected pictures, but got none');
};

/** The shape of all images of a data set with these images for training. Throws DatasetFault if it is too large. */
export const findCommon = async (path: string, images: Images, geometry: Geometry): Promise<Common> => {
  const first = await firstOf(path, images, geometry);
  const [height, width] = geometry.size ?? first.shape;
  const channels = geometry.channels ?? first.shape[2];
  if (Math.max(height, width) > maxImageSide || channels > maxImageChannels)
    refuseFile(
      first.path,
      `expected at most ${maxImageSide} × ${maxImageSide} pixels and ${maxImageChannels} channels, but got ${sizeText([height, width])} and ${channels}: --size HEIGHTxWIDTH scales all images`,
    );
  return { path: first.path, shape: [height, width, channels] };
};

async function* changePixels(
  images: Extract<Images, { kind: 'pixels' }>,
  geometry: Geometry,
  common: Common,
): AsyncGenerator<Uint8Array> {
  const { path, shape } = images;
  const isScaled = geometry.size !== null && (shape[0] !== common.shape[0] || shape[1] !== common.shape[1]);
  if (isScaled && shape[2] !== 1 && shape[2] !== 3)
    throw new DatasetFault(`${path}: expected 1 or 3 channels for --size, but got ${shape[2]}`);
  const bytes = shape[0] * shape[1] * shape[2];
  for await (const block of images.blocks())
    for (let at = 0; at < block.length; at += bytes) {
      const image: Pixels = { shape, pixels: block.subarray(at, at + bytes) };
      const scaled = isScaled ? await scalePixels(image, geometry) : image;
      yield withChannels(path, scaled, common, geometry).pixels;
    }
}

/** All images in order, bytes [n, …common.shape] in blocks of whole images. Throws DatasetFault for an image that does not fit. */
export const readImages = (
  images: Images,
  geometry: Geometry,
  common: Common,
  tally: Tally,
): AsyncIterable<Uint8Array> => {
  if (images.kind === 'pictures') return decodePictures(images.pictures(), geometry, common, tally);
  if (images.shape.join() !== common.shape.join() && geometry.size === null && geometry.channels === null)
    refuseFile(
      images.path,
      `expected images of [${common.shape.join(', ')}] as for training, but got [${images.shape.join(', ')}]`,
    );
  return images.shape.join() === common.shape.join()
    ? images.blocks()
    : changePixels(images, geometry, common);
};
