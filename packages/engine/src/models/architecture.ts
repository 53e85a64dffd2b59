/**
 * A network as data: its layers, in order. The weights, the arithmetic (network.ts) and the Keras topology (topology.ts) follow from it.
 * All convolutions are 3×3 with 'same' padding and, except `conv2dSame`, stride 2 (Vigouroux & Picard, §4.1). Shapes are without the batch.
 */
export type Layer =
  | {
      readonly kind: 'conv2d';
      readonly name: string;
      readonly filters: number;
      readonly activation: 'relu' | 'linear';
    }
  /** `unitTanh` is the paper's (1 + tanh)/2. `size` is the size of the output: either 2n − 1 or 2n for an input of size n. */
  | {
      readonly kind: 'conv2dTranspose';
      readonly name: string;
      readonly filters: number;
      readonly size: readonly [number, number];
      readonly activation: 'relu' | 'unitTanh';
    }
  /** Stride 1, then σ: the output has the size of the input. */
  | { readonly kind: 'conv2dSame'; readonly name: string; readonly filters: number }
  /** Means over squares of 2×2; `upSample` repeats every pixel in a square of 2×2, to either 2n − 1 or 2n pixels for n. */
  | { readonly kind: 'averagePool'; readonly name: string }
  | { readonly kind: 'upSample'; readonly name: string; readonly size: readonly [number, number] }
  | {
      readonly kind: 'dense';
      readonly name: string;
      readonly units: number;
      readonly activation: 'relu' | 'linear';
    }
  | { readonly kind: 'flatten'; readonly name: string }
  | { readonly kind: 'reshape'; readonly name: string; readonly shape: readonly number[] };

export type Architecture = { readonly input: readonly number[]; readonly layers: readonly Layer[] };

/** A weight, with the numbers of inputs and outputs from which the scale of its initial values follows. */
export type WeightSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fanIn: number;
  readonly fanOut: number;
};

const taps = 3 * 3;
/** With a stride of 2 in both directions, a pixel of the larger map meets a quarter of the kernel's 9 taps on average. */
const strided = taps / 4;
const halved = (size: number): number => Math.ceil(size / 2);
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The output shape of `layer` for the shape `input`. Throws where the layer does not accept this shape. */
const outputOf = (layer: Layer, input: readonly number[]): readonly number[] => {
  const refuse = (expected: string): never => {
    throw new Error(`Layer ${layer.name} expected ${expected}, but got [${input.join(', ')}]`);
  };
  const [height = 0, width = 0] = input;
  switch (layer.kind) {
    case 'conv2d':
      if (input.length !== 3) refuse('[height, width, channels]');
      return [halved(height), halved(width), layer.filters];
    case 'conv2dTranspose':
      if (input.length !== 3 || halved(layer.size[0]) !== height || halved(layer.size[1]) !== width)
        refuse(`half of ${layer.size.join('×')}`);
      return [...layer.size, layer.filters];
    case 'conv2dSame':
      if (input.length !== 3) refuse('[height, width, channels]');
      return [height, width, layer.filters];
    case 'averagePool':
      if (input.length !== 3) refuse('[height, width, channels]');
      return [halved(height), halved(width), input[2]!];
    case 'upSample':
      if (input.length !== 3 || halved(layer.size[0]) !== height || halved(layer.size[1]) !== width)
        refuse(`half of ${layer.size.join('×')}`);
      return [...layer.size, input[2]!];
    case 'dense':
      if (input.length !== 1) refuse('[units]');
      return [layer.units];
    case 'flatten':
      return [product(input)];
    case 'reshape':
      if (product(layer.shape) !== product(input)) refuse(`${product(layer.shape)} values`);
      return layer.shape;
  }
};

const weightsOf = (layer: Layer, input: readonly number[]): readonly WeightSpec[] => {
  const from = input.at(-1)!;
  const pair = (shape: readonly number[], fanIn: number, fanOut: number, to: number): WeightSpec[] => [
    { name: `${layer.name}/kernel`, shape, fanIn, fanOut },
    { name: `${layer.name}/bias`, shape: [to], fanIn: 0, fanOut: 0 },
  ];
  switch (layer.kind) {
    case 'conv2d':
      return pair([3, 3, from, layer.filters], taps * from, strided * layer.filters, layer.filters);
    case 'conv2dTranspose': // TensorFlow keeps the channels of a transposed kernel as [out, in]
      return pair([3, 3, layer.filters, from], strided * from, taps * layer.filters, layer.filters);
    case 'conv2dSame':
      return pair([3, 3, from, layer.filters], taps * from, taps * layer.filters, layer.filters);
    case 'dense':
      return pair([from, layer.units], from, layer.units, layer.units);
    default:
      return [];
  }
};

/** The shape of the input, and the shape after every layer. */
export const shapesOf = ({ input, layers }: Architecture): readonly (readonly number[])[] => {
  const shapes = [input];
  for (const layer of layers) shapes.push(outputOf(layer, shapes.at(-1)!));
  return shapes;
};

export const outputShape = (architecture: Architecture): readonly number[] => shapesOf(architecture).at(-1)!;

/** All weights in the order of a checkpoint: layer by layer, the kernel before the bias. */
export const weightSpecs = (architecture: Architecture): readonly WeightSpec[] => {
  const shapes = shapesOf(architecture);
  return architecture.layers.flatMap((layer, i) => weightsOf(layer, shapes[i]!));
};

/** Two networks as one: the second takes the output of the first. */
export const joined = (first: Architecture, second: Architecture): Architecture => ({
  input: first.input,
  layers: [...first.layers, ...second.layers],
});
