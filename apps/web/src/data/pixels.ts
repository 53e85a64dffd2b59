/** Bytes 0–255 in base64, as the API sends pictures, as values in [0, 1]. */
export const decodePixels = (base64: string): Float32Array => {
  const binary = atob(base64);
  const pixels = new Float32Array(binary.length);
  for (let i = 0; i < binary.length; i++) pixels[i] = binary.charCodeAt(i) / 255;
  return pixels;
};

export const difference = (after: Float32Array, before: Float32Array): Float32Array =>
  after.map((value, i) => value - before[i]!);

/** L2 norm and largest size of a change. */
export const sizeOf = (change: Float32Array): { readonly l2: number; readonly linf: number } => {
  let [square, linf] = [0, 0];
  for (const value of change) {
    square += value * value;
    linf = Math.max(linf, Math.abs(value));
  }
  return { l2: Math.sqrt(square), linf };
};
