/** Small coloured pictures of three classes: stand-ins for your own images, drawn so that nothing must be downloaded. */

export const classes = ['circle', 'square', 'triangle'];
export const size = 32; // pixels: height and width

/** Whether the point lies inside the shape. The shape fills the square from −1 to 1; y grows downwards. */
const inside = {
  circle: (x, y) => x * x + y * y < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  triangle: (x, y) => y < 0.9 && y > 2 * Math.abs(x) - 0.9,
};

/** Random numbers from 0 to 1 that are the same on every machine (mulberry32). */
const createRandom = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/** Picture `index`: its label, and its pixels as bytes, row by row, red, green and blue. Neighbours have different classes. */
export const drawShape = (index) => {
  const label = index % classes.length;
  const random = createRandom(index);
  const between = (low, high) => low + (high - low) * random();
  const radius = between(6, 12);
  const [centreX, centreY] = [between(12, 20), between(12, 20)];
  const [shape, ground] = [Array.from({ length: 3 }, () => between(150, 230)), between(30, 100)];
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const hit = inside[classes[label]]((x - centreX) / radius, (y - centreY) / radius);
      for (let channel = 0; channel < 3; channel++)
        pixels[(y * size + x) * 3 + channel] = (hit ? shape[channel] : ground) + between(-20, 20);
    }
  return { label, pixels };
};
