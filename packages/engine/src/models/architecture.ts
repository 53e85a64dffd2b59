/**
 * A network as data: its layers, in order. The weights, the arithmetic (network.ts) and the Keras topology (topology.ts) follow from it.
 * Convolutions have 'same' padding. Shapes are without the batch.
 */
type Convolution = {
  readonly name: string;
  readonly filters: number;
  /** Height and width of the kernel. */
  readonly kernel: number;
};

/** Pixels at the edges of a map: [top, bottom], [left, right]. */
type Edges = readonly [rows: readonly [number, number], columns: readonly [number, number]];

export type Layer =
  | (Convolution & {
      readonly kind: 'conv2d';
      readonly stride: 1 | 2;
      readonly activation: 'relu' | 'linear' | 'sigmoid';
    })
  /** Stride 2. `unitTanh` is the paper's (1 + tanh)/2. `size` is the size of the output: either 2n − 1 or 2n for an input of size n. */
  | (Convolution & {
      readonly kind: 'conv2dTranspose';
      readonly size: readonly [number, number];
      readonly activation: 'relu' | 'linear' | 'unitTanh';
    })
  /** Means over squares of 2×2; `upSample` repeats every pixel in a square of 2×2, to either 2n − 1 or 2n pixels for n. */
  | { readonly kind: 'averagePool'; readonly name: string }
  | { readonly kind: 'upSample'; readonly name: string; readonly size: readonly [number, number] }
  /** `pad` adds edges of 0, `crop` cuts edges off. */
  | { readonly kind: 'pad' | 'crop'; readonly name: string; readonly edges: Edges }
  | {
      readonly kind: 'dense';
      readonly name: string;
      readonly units: number;
      readonly activation: 'relu' | 'linear';
    }
  | { readonly kind: 'flatten'; readonly name: string }
  | { readonly kind: 'reshape'; readonly name: string; readonly shape: readonly number[] }
  /** Batch normalisation over all axes but the last (normalisation.ts). */
  | { readonly kind: 'normalise'; readonly name: string }
  | { readonly kind: 'activate'; readonly name: string; readonly activation: ActivationName }
  /** x + layers(x): the layers keep the shape (He et al. 2016). */
  | { readonly kind: 'residual'; readonly name: string; readonly layers: readonly Layer[] };

/** Activations that are layers of their own (activations.ts). */
export type ActivationName = 'relu' | 'leaky-relu' | 'elu' | 'tanh' | 'unitTanh';

export type Architecture = { readonly input: readonly number[]; readonly layers: readonly Layer[] };

/** A weight. */
export type WeightSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  /** Either the numbers of inputs and outputs, from which the scale of random first values follows, or the first value. */
  readonly initial: { readonly fanIn: number; readonly fanOut: number } | 0 | 1;
  /** False for the running statistics of a normalisation, which have no gradient. */
  readonly trained: boolean;
};

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The size of a map after a convolution with this stride. */
export const halved = (size: number): number => Math.ceil(size / 2);

/** The output shape of `layer` for the shape `input`. Throws where the layer does not accept this shape. */
const outputOf = (layer: Layer, input: readonly number[]): readonly number[] => {
  const refuse = (expected: string): never => {
    throw new Error(`Layer ${layer.name} expected ${expected}, but got [${input.join(', ')}]`);
  };
  const mapOf = (): readonly [number, number, number] =>
    input.length === 3 ? (input as [number, number, number]) : refuse('[height, width, channels]');
  switch (layer.kind) {
    case 'conv2d': {
      const [height, width] = mapOf();
      return layer.stride === 1
        ? [height, width, layer.filters]
        : [halved(height), halved(width), layer.filters];
    }
    case 'conv2dTranspose':
    case 'upSample': {
      const [height, width, channels] = mapOf();
      if (halved(layer.size[0]) !== height || halved(layer.size[1]) !== width)
        refuse(`half of ${layer.size.join('×')}`);
      return [...layer.size, layer.kind === 'upSample' ? channels : layer.filters];
    }
    case 'averagePool': {
      const [height, width, channels] = mapOf();
      return [halved(height), halved(width), channels];
    }
    case 'pad':
    case 'crop': {
      const [height, width, channels] = mapOf();
      const [rows, columns] = layer.edges.map(([before, after]) => before + after) as [number, number];
      if (layer.kind === 'pad') return [height + rows, width + columns, channels];
      if (rows >= height || columns >= width) refuse(`maps larger than ${rows}×${columns}`);
      return [height - rows, width - columns, channels];
    }
    case 'dense':
      if (input.length !== 1) refuse('[units]');
      return [layer.units];
    case 'flatten':
      return [product(input)];
    case 'reshape':
      if (product(layer.shape) !== product(input)) refuse(`${product(layer.shape)} values`);
      return layer.shape;
    case 'normalise':
    case 'activate':
      return input;
    case 'residual': {
      const output = outputShape({ input, layers: layer.layers });
      if (output.join() !== input.join()) refuse(`layers that give [${input.join(', ')}] back`);
      return input;
    }
  }
};

/** A kernel and a bias of `to` values. */
const kernelAndBias = (
  name: string,
  shape: readonly number[],
  fanIn: number,
  fanOut: number,
  to: number,
): readonly WeightSpec[] => [
  { name: `${name}/kernel`, shape, initial: { fanIn, fanOut }, trained: true },
  { name: `${name}/bias`, shape: [to], initial: 0, trained: true },
];

/** The weights of a layer, in the order of a checkpoint. */
const weightsOf = (layer: Layer, input: readonly number[]): readonly WeightSpec[] => {
  const from = input.at(-1)!;
  switch (layer.kind) {
    case 'conv2d': {
      // With a stride of 2 in both directions, a pixel of the larger map meets a quarter of the kernel's taps on average.
      const { name, filters, kernel, stride } = layer;
      const taps = kernel * kernel;
      const shape = [kernel, kernel, from, filters];
      return kernelAndBias(name, shape, taps * from, (taps / stride ** 2) * filters, filters);
    }
    case 'conv2dTranspose': {
      // TensorFlow keeps the channels of a transposed kernel as [out, in].
      const { name, filters, kernel } = layer;
      const taps = kernel * kernel;
      return kernelAndBias(name, [kernel, kernel, filters, from], (taps / 4) * from, taps * filters, filters);
    }
    case 'dense':
      return kernelAndBias(layer.name, [from, layer.units], from, layer.units, layer.units);
    case 'normalise':
      return [
        { name: `${layer.name}/gamma`, shape: [from], initial: 1, trained: true },
        { name: `${layer.name}/beta`, shape: [from], initial: 0, trained: true },
        { name: `${layer.name}/moving_mean`, shape: [from], initial: 0, trained: false },
        { name: `${layer.name}/moving_variance`, shape: [from], initial: 1, trained: false },
      ];
    case 'residual':
      return weightSpecs({ input, layers: layer.layers });
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

/** The first layer with a kernel, with all layers before it and with its normalisation and activation. */
export const untilFirstFeatures = ({ input, layers }: Architecture): Architecture => {
  const kernel = layers.findIndex(({ kind }) => kind === 'conv2d' || kind === 'dense');
  const next = layers.findIndex(({ kind }, i) => i > kernel && kind !== 'normalise' && kind !== 'activate');
  return { input, layers: next === -1 ? layers : layers.slice(0, next) };
};
