/**
 * A network as data: the layers that images or codes pass through. Weights, arithmetic and the Keras topology derive from it.
 * Convolutions are 3×3 with 'same' padding, and with stride 2 (§4.1) but for `conv2dSame`; shapes are without the batch.
 */
export type Layer =
  | {
      readonly kind: 'conv2d';
      readonly name: string;
      readonly filters: number;
      readonly activation: 'relu' | 'linear';
    }
  /** `unitTanh` is the paper's (1 + tanh)/2. `size` says which of the two sizes that a stride of 2 halves to the input's is meant. */
  | {
      readonly kind: 'conv2dTranspose';
      readonly name: string;
      readonly filters: number;
      readonly size: readonly [number, number];
      readonly activation: 'relu' | 'unitTanh';
    }
  /** Stride 1: maps of the input's size, each unit σ(z). */
  | { readonly kind: 'conv2dSame'; readonly name: string; readonly filters: number }
  /** Means over squares of 2×2, and nearest neighbours back: even sizes only. */
  | { readonly kind: 'averagePool'; readonly name: string }
  | { readonly kind: 'upSample'; readonly name: string }
  | {
      readonly kind: 'dense';
      readonly name: string;
      readonly units: number;
      readonly activation: 'relu' | 'linear';
    }
  | { readonly kind: 'flatten'; readonly name: string }
  | { readonly kind: 'reshape'; readonly name: string; readonly shape: readonly number[] };

export type Architecture = { readonly input: readonly number[]; readonly layers: readonly Layer[] };

/** A weight, with the numbers of inputs and outputs that its initial scale depends on. */
export type WeightSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fanIn: number;
  readonly fanOut: number;
};

const taps = 3 * 3;
/** A stride of 2 both ways skips three of four places: a small unit hears all taps, a large one a quarter of them. */
const strided = taps / 4;
const halved = (size: number): number => Math.ceil(size / 2);
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The shape that `layer` makes of `input`. Throws where it cannot take it. */
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
      if (input.length !== 3 || height % 2 !== 0 || width % 2 !== 0) refuse('maps of an even size');
      return [height / 2, width / 2, input[2]!];
    case 'upSample':
      if (input.length !== 3) refuse('[height, width, channels]');
      return [2 * height, 2 * width, input[2]!];
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

/** The shape after every layer, first the input's. */
export const shapesOf = ({ input, layers }: Architecture): readonly (readonly number[])[] => {
  const shapes = [input];
  for (const layer of layers) shapes.push(outputOf(layer, shapes.at(-1)!));
  return shapes;
};

export const outputShape = (architecture: Architecture): readonly number[] => shapesOf(architecture).at(-1)!;

/** Every weight in the order in which a checkpoint stores them: layer by layer, kernel before bias. */
export const weightSpecs = (architecture: Architecture): readonly WeightSpec[] => {
  const shapes = shapesOf(architecture);
  return architecture.layers.flatMap((layer, i) => weightsOf(layer, shapes[i]!));
};

/** One network after the other: the second takes what the first gives. */
export const joined = (first: Architecture, second: Architecture): Architecture => ({
  input: first.input,
  layers: [...first.layers, ...second.layers],
});
