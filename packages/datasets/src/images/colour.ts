/** Grey and colour: changes the channels of images. */

/** Pillow's and ITU-R 601's weights of red, green and blue for grey, in units of 2^-16. */
const [red, green, blue] = [19_595, 38_470, 7_471] as const;

/** [n, 3] → [n, 1] */
export const toGrey = (pixels: Uint8Array): Uint8Array => {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++)
    grey[i] = (red * pixels[3 * i]! + green * pixels[3 * i + 1]! + blue * pixels[3 * i + 2]! + 0x8000) >> 16;
  return grey;
};

/** [n, 1] → [n, 3] */
export const toColour = (grey: Uint8Array): Uint8Array => {
  const pixels = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) pixels.fill(grey[i]!, 3 * i, 3 * i + 3);
  return pixels;
};
