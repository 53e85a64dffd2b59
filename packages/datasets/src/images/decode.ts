/**
 * Decodes one PNG or JPEG picture with libvips (https://sharp.pixelplumbing.com). Only this file, which only the reading process loads, uses a
 * decoder of images.
 */
import sharp, { type Channels, type Metadata, type Sharp } from 'sharp';
import { decoding, refuseFile } from '../fault.ts';
import type { ReadOptions } from '../options.ts';
import type { Picture, Shape } from '../source.ts';

// No other loader of libvips may run, whatever the bytes of a picture are.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer'] });
sharp.cache(false);
sharp.concurrency(1); // Pictures are decoded side by side.

/** A picture with more pixels is refused before it is decoded. */
export const maxPixels = 64_000_000;
/** A picture that needs more time is refused. */
const secondsPerPicture = 10;
/** Of one compressed picture. */
export const maxPictureBytes = 256 * 2 ** 20;

const limits = { limitInputPixels: maxPixels, failOn: 'error', ignoreIcc: true } as const;

/** The beginnings of files that people take for pictures. */
const signatures: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['PNG', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['JPEG', [0xff, 0xd8, 0xff]],
  ['GIF', [0x47, 0x49, 0x46, 0x38]],
  ['WebP, AVI or WAV', [0x52, 0x49, 0x46, 0x46]],
  ['BMP', [0x42, 0x4d]],
  ['TIFF', [0x49, 0x49, 0x2a, 0x00]],
  ['TIFF', [0x4d, 0x4d, 0x00, 0x2a]],
  ['SVG or XML', [0x3c]],
];

const checkSignature = ({ path, bytes }: Picture): void => {
  const [name = null] = signatures.find(([, start]) => start.every((byte, i) => bytes[i] === byte)) ?? [];
  if (name === 'PNG' || name === 'JPEG') return;
  const got =
    bytes.length === 0
      ? 'it is empty'
      : name
        ? `its first bytes are those of ${name}`
        : 'its first bytes are others';
  refuseFile(path, `expected a PNG or JPEG picture, but ${got}`);
};

/** A size in the order of `--size` and of shapes. Programs for pictures give the width first, so different sides are named. */
export const sizeText = ([height, width]: readonly number[]): string =>
  `${height} × ${width}${height === width ? '' : ' (height × width)'}`;

/** A picture whose header was read. */
export type OpenPicture = Picture & {
  readonly pixels: number;
  readonly isGrey: boolean;
  readonly hasAlpha: boolean;
};

export const openPicture = async (picture: Picture): Promise<OpenPicture> => {
  const { path, bytes } = picture;
  checkSignature(picture);
  const { width, height, space, hasAlpha }: Metadata = await decoding(path, 'a PNG or JPEG picture', () =>
    sharp(bytes, { ...limits, limitInputPixels: false }).metadata(),
  );
  const pixels = width * height;
  if (pixels > maxPixels)
    refuseFile(path, `expected at most ${maxPixels} pixels, but got ${sizeText([height, width])}`);
  return { path, bytes, pixels, isGrey: space === 'b-w' || space === 'grey16', hasAlpha };
};

export type Geometry = Pick<ReadOptions, 'size' | 'resize' | 'channels'>;

const black = { r: 0, g: 0, b: 0 };

const scale = (image: Sharp, { size, resize }: Geometry): Sharp =>
  size === null
    ? image
    : image.resize({
        height: size[0],
        width: size[1],
        fit: resize === 'crop' ? 'cover' : 'contain',
        background: black,
      });

export type Pixels = { readonly shape: Shape; readonly pixels: Uint8Array };

const pixelsOf = async (image: Sharp): Promise<Pixels> => {
  const { data, info } = await image
    .raw({ depth: 'uchar' })
    .timeout({ seconds: secondsPerPicture })
    .toBuffer({ resolveWithObject: true });
  return { shape: [info.height, info.width, info.channels], pixels: data };
};

/**
 * [height, width, 1] for a grey picture, else [height, width, 3]. Turned upright by EXIF, alpha laid on black, 16 bits cut to 8, CMYK
 * converted; colour profiles are ignored, as by Pillow.
 */
export const decodePicture = ({ path, bytes, isGrey }: OpenPicture, geometry: Geometry): Promise<Pixels> =>
  decoding(path, 'a whole PNG or JPEG picture', () =>
    pixelsOf(
      scale(sharp(bytes, limits).autoOrient().flatten({ background: black }), geometry).toColourspace(
        isGrey ? 'b-w' : 'srgb',
      ),
    ),
  );

/** Scales pixels of one image, [height, width, 1 or 3]. */
export const scalePixels = async ({ shape, pixels }: Pixels, geometry: Geometry): Promise<Pixels> => {
  const [height, width, channels] = shape;
  const raw = { height, width, channels: channels as Channels };
  return pixelsOf(scale(sharp(pixels, { raw }), geometry).toColourspace(channels === 1 ? 'b-w' : 'srgb'));
};

/** [height, width, 3] → a PNG file. */
export const encodePng = ({ shape: [height, width, channels], pixels }: Pixels): Promise<Uint8Array> =>
  sharp(pixels, { raw: { height, width, channels: channels as Channels } })
    .png()
    .toBuffer();
