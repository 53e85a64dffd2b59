/**
 * docs/operators.md, written from the table, and what TensorFlow.js 4.22 does wrong without `correctOperators`.
 */
import { operatorTable, type Support } from '../../src/index.ts';

type Backend = 'cpu' | 'wasm';

/** Operators of TensorFlow.js 4.22 that answer something wrong, throw, or never return, on which backends, and how. */
export const faults: Readonly<Record<string, readonly [backends: readonly Backend[], fault: string]>> = {
  AvgPool: [
    ['cpu', 'wasm'],
    'the gradient divides by the whole window also where it reaches into the padding',
  ],
  AvgPool3D: [
    ['cpu', 'wasm'],
    'the gradient divides by the whole window also where it reaches into the padding',
  ],
  BatchMatMul: [
    ['cpu', 'wasm'],
    'no gradient where a batch is broadcast; wrong matrices where it is broadcast along some axes',
  ],
  Cast: [['cpu', 'wasm'], 'the gradient of a rounding to integers is 1'],
  Conv2D: [
    ['cpu', 'wasm'],
    'no gradient with dilations; wasm: zeros for `same` with a stride beyond the filter',
  ],
  Conv3D: [['wasm'], 'wrong gradients'],
  Conv3DBackpropInputV2: [['cpu', 'wasm'], 'no gradient of the transposed convolution; wasm: wrong values'],
  CropAndResize: [['cpu', 'wasm'], 'no gradient; wasm: wrong pixels with `nearest`'],
  Cumsum: [['cpu', 'wasm'], 'no gradient along another axis than the last'],
  DepthToSpace: [['cpu', 'wasm'], 'no gradient'],
  DepthwiseConv2dNative: [
    ['cpu', 'wasm'],
    'no gradient on wasm, none with dilations on cpu; wasm: zeros for `same` with a stride beyond the filter',
  ],
  Dilation2D: [['wasm'], 'negative maxima become 0, and gradients go to wrong places'],
  Einsum: [['cpu', 'wasm'], 'no gradient; wasm does not have it'],
  FlipLeftRight: [['cpu', 'wasm'], 'no gradient'],
  FloorDiv: [['cpu', 'wasm'], 'the gradient is that of a division'],
  FusedConv2D: [['cpu', 'wasm'], 'no gradient with dilations'],
  FusedDepthwiseConv2D: [['cpu', 'wasm'], 'no gradient on wasm, none with dilations on cpu'],
  GatherNd: [['cpu', 'wasm'], 'no gradient'],
  GatherV2: [['wasm'], 'no gradient'],
  Greater: [
    ['cpu', 'wasm'],
    'no gradient, nor have `Less`, `LessEqual`, `Equal`, `NotEqual`, `LogicalAnd`, `LogicalOr`, `LogicalNot`, `Any`, `All`',
  ],
  MaxPool: [['wasm'], 'the gradient of negative maxima is lost, and of equal maxima the last gets it'],
  MaxPool3D: [
    ['cpu', 'wasm'],
    'cpu: wrong gradients of windows that are not cubes; wasm: negative maxima become 0',
  ],
  Maximum: [['cpu', 'wasm'], 'no gradient of a broadcast input'],
  Minimum: [['cpu', 'wasm'], 'no gradient of a broadcast input'],
  MirrorPad: [['cpu', 'wasm'], 'the gradient of the mirrored pixels is lost'],
  Prod: [['cpu', 'wasm'], 'no gradient along a negative axis'],
  ResizeBilinear: [
    ['cpu', 'wasm'],
    'half-pixel centres are forgotten on the way back; cpu: no gradient unless height and width are equal',
  ],
  ResizeNearestNeighbor: [
    ['cpu', 'wasm'],
    'half-pixel centres are forgotten on the way back; cpu: pixels are lost, and one row with aligned corners never ends',
  ],
  ScatterNd: [['cpu', 'wasm'], 'no gradient'],
  SquaredDifference: [['cpu', 'wasm'], 'no gradient of a broadcast input'],
  StridedSlice: [['cpu', 'wasm'], 'no gradient; wrong values for single indices beside strides'],
  TensorScatterUpdate: [['cpu', 'wasm'], 'no gradient; cpu writes into its input'],
  Tile: [['cpu', 'wasm'], 'no gradient for five axes and more'],
  TopK: [['cpu', 'wasm'], 'no gradient'],
  UnsortedSegmentSum: [['wasm'], 'wasm does not have it'],
};

const named = (operators: readonly string[]): string =>
  operators.map((operator) => `\`${operator}\``).join(', ');

export function operatorsPage(): string {
  const entries = Object.entries(operatorTable).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const isRight = ([, { cpu, wasm }]: (typeof entries)[number]): boolean =>
    [cpu, wasm].every(({ forward, gradient }) => forward === 'right' && gradient === 'right');
  const cell: Readonly<Record<Support, string>> = { right: 'right', wrong: '**wrong**', none: '–' };
  return `# Operators
<!-- packages/kernels/test/operators.test.ts writes and checks this page: npx vitest run packages/kernels/test/operators.test.ts -u -->
A white-box attack needs the gradient of every operator between the pixels and the logits. TensorFlow.js 4.22 computes some of them wrong, and
lacks others. \`correctOperators()\` of \`@funnel/kernels\` corrects them; every attack calls it. It changes no operator with which Funnel trains.

## After the corrections
We compared each operator on both backends with central differences, one for each input value, on several shapes, strides, paddings and odd
sizes: the relative error is below 10⁻³. The values of the two backends, which are two programs, agree to 10⁻⁵ of the largest.

Right on \`cpu\` and \`wasm\`, forward and gradient: ${named(entries.filter(isRight).map(([name]) => name))}.

The others (– means that it throws):

| operator | cpu: forward | gradient | wasm: forward | gradient |
|---|---|---|---|---|
${entries
  .filter((entry) => !isRight(entry))
  .map(
    ([name, { cpu, wasm }]) =>
      `| \`${name}\` | ${[cpu, wasm].flatMap(({ forward, gradient }) => [cell[forward], cell[gradient]]).join(' | ')} |`,
  )
  .join('\n')}

An operator in neither list has no gradient, unless somebody registered one. \`operatorsWithoutGradient(kernels, backend)\` names those of a model.
\`Round\`, \`Floor\`, \`Sign\`, comparisons and casts to integers have the gradient 0, which is right and of no use to an attack. \`Max\` and \`Min\`
give their whole gradient to each of several equal values. Where gradients are sums, \`cpu\` and \`wasm\` may add in another order and differ in the
last bits: convolutions, matrix products, normalisation. Pooling over averages, resizing, cropping, padding, slicing and gathering have the
same bits on both.

## What TensorFlow.js 4.22 does without them
| operator | on | fault |
|---|---|---|
${Object.entries(faults)
  .map(([name, [backends, fault]]) => `| \`${name}\` | ${backends.join(', ')} | ${fault} |`)
  .join('\n')}

Two faults remain. On wasm \`Sign\` takes values below about 10⁻⁷ for 0 (adversarial training uses it, and trained models must keep their bits),
and \`Relu\` answers 0 for NaN.
`;
}
