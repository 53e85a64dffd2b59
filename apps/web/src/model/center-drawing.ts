/**
 * A drawing as MNIST would have it (LeCun et al. 1998): what is drawn is scaled into 20×20 without changing its proportions and placed
 * so that its centre of mass is the centre of 28×28.
 */
const side = 28;
const box = 20;

/** `ink`: [height × width] in [0, 1], row by row. Answers [28 × 28]; empty for an empty drawing. */
export const centerDrawing = (ink: Float32Array, width: number, height: number): Float32Array => {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (ink[y * width + x]! > 0.05) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  const out = new Float32Array(side * side);
  if (right < 0) return out;

  const scale = Math.max(right - left + 1, bottom - top + 1) / box; // drawing pixels per image pixel
  const [centerX, centerY] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
  /** Mean ink of the square of the drawing that pixel (x, y) of the image covers. */
  const sample = (x: number, y: number, shiftX: number, shiftY: number): number => {
    const x0 = centerX + (x - side / 2 + shiftX) * scale;
    const y0 = centerY + (y - side / 2 + shiftY) * scale;
    let sum = 0;
    let count = 0;
    for (let v = Math.floor(y0); v < Math.max(Math.floor(y0) + 1, y0 + scale); v++)
      for (let u = Math.floor(x0); u < Math.max(Math.floor(x0) + 1, x0 + scale); u++) {
        count += 1;
        if (u >= 0 && v >= 0 && u < width && v < height) sum += ink[v * width + u]!;
      }
    return sum / count;
  };
  const render = (shiftX: number, shiftY: number) => {
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) out[y * side + x] = sample(x, y, shiftX, shiftY);
  };
  render(0, 0);
  let [mass, massX, massY] = [0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    mass += out[i]!;
    massX += out[i]! * ((i % side) + 0.5);
    massY += out[i]! * (Math.floor(i / side) + 0.5);
  }
  render(massX / mass - side / 2, massY / mass - side / 2);
  return out;
};
