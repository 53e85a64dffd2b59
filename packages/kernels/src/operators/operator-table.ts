/**
 * What holds on the backends `cpu` and `wasm` after `correctOperators`. test/operators.test.ts checks every line, and docs/operators.md shows it.
 */
import * as tf from '@tensorflow/tfjs';
import type { HostBackend } from './host.ts';

/** `wrong`: it answers something, which is not right. `none`: it throws. */
export type Support = 'right' | 'wrong' | 'none';

export interface OperatorSupport {
  readonly forward: Support;
  readonly gradient: Support;
}

const right: OperatorSupport = { forward: 'right', gradient: 'right' };

/** The names are those of the kernels of TensorFlow.js, as tf.profile lists them. */
const rightOnBoth = [
  ...[
    'Abs',
    'Acos',
    'Acosh',
    'Add',
    'AddN',
    'All',
    'Any',
    'ArgMax',
    'ArgMin',
    'Asin',
    'Asinh',
    'Atan',
    'Atan2',
    'Atanh',
  ],
  ...[
    'AvgPool',
    'AvgPool3D',
    'BatchMatMul',
    'BatchToSpaceND',
    'Cast',
    'Ceil',
    'ClipByValue',
    'Concat',
    'Conv2D',
  ],
  ...[
    'Conv2DBackpropInput',
    'Conv3D',
    'Conv3DBackpropInputV2',
    'Cos',
    'Cosh',
    'CropAndResize',
    'Cumsum',
    'DepthToSpace',
  ],
  ...[
    'DepthwiseConv2dNative',
    'Dilation2D',
    'Einsum',
    'Elu',
    'Equal',
    'Erf',
    'Exp',
    'ExpandDims',
    'Expm1',
    'FlipLeftRight',
  ],
  ...[
    'Floor',
    'FloorDiv',
    'FusedBatchNorm',
    'FusedConv2D',
    'FusedDepthwiseConv2D',
    'GatherNd',
    'GatherV2',
    'Greater',
  ],
  ...[
    'GreaterEqual',
    'Identity',
    'IsFinite',
    'IsInf',
    'IsNan',
    'LRN',
    'LeakyRelu',
    'Less',
    'LessEqual',
    'Log',
    'Log1p',
  ],
  ...[
    'LogSoftmax',
    'LogicalAnd',
    'LogicalNot',
    'LogicalOr',
    'Max',
    'MaxPool',
    'MaxPool3D',
    'Maximum',
    'Mean',
    'Min',
    'Minimum',
  ],
  ...[
    'MirrorPad',
    'Mod',
    'Multiply',
    'Neg',
    'NotEqual',
    'OnesLike',
    'Pack',
    'PadV2',
    'Pow',
    'Prelu',
    'Prod',
    'RealDiv',
  ],
  ...[
    'Reciprocal',
    'Relu',
    'Relu6',
    'Reshape',
    'ResizeBilinear',
    'ResizeNearestNeighbor',
    'Reverse',
    'Round',
    'Rsqrt',
  ],
  ...[
    'ScatterNd',
    'Select',
    'Selu',
    'Sigmoid',
    'Sign',
    'Sin',
    'Sinh',
    'Slice',
    'Softmax',
    'Softplus',
    'SpaceToBatchND',
  ],
  ...['SplitV', 'Sqrt', 'Square', 'SquaredDifference', 'Step', 'StridedSlice', 'Sub', 'Sum', 'Tan', 'Tanh'],
  ...[
    'TensorScatterUpdate',
    'Tile',
    'TopK',
    'Transpose',
    'Unpack',
    'UnsortedSegmentSum',
    'ZerosLike',
    '_FusedMatMul',
  ],
];

const noGradient: OperatorSupport = { forward: 'right', gradient: 'none' };
const noForward: OperatorSupport = { forward: 'none', gradient: 'none' };

export const operatorTable: Readonly<Record<string, Readonly<Record<HostBackend, OperatorSupport>>>> = {
  ...Object.fromEntries(rightOnBoth.map((name) => [name, { cpu: right, wasm: right }])),
  Complex: { cpu: noGradient, wasm: noForward },
  ComplexAbs: { cpu: noGradient, wasm: noForward },
  Cumprod: { cpu: noGradient, wasm: noGradient },
  Diag: { cpu: noGradient, wasm: noGradient },
  FFT: { cpu: noGradient, wasm: noForward },
  IFFT: { cpu: noGradient, wasm: noForward },
  Imag: { cpu: noGradient, wasm: noForward },
  MaxPoolWithArgmax: { cpu: noGradient, wasm: { forward: 'wrong', gradient: 'none' } },
  Real: { cpu: noGradient, wasm: noForward },
  SparseToDense: { cpu: noGradient, wasm: noGradient },
  Transform: { cpu: { forward: 'wrong', gradient: 'none' }, wasm: noGradient }, // cpu transforms only the first image
};

/** Operators without an input of pixels. A model may run them, and needs no gradient of them. */
const constants = ['Fill', 'LinSpace', 'Multinomial', 'Range', 'StaticRegexReplace'];

/**
 * Which of the kernels that a model runs have no right gradient on a backend after `correctOperators`, in alphabetical order. `kernels` are
 * names as `(await tf.profile(() => model.predict(x))).kernelNames` lists them. On backends other than cpu and wasm only the kernels are
 * known for which nobody has written a gradient. A kernel is listed also where it does not lie between pixels and logits.
 */
export function operatorsWithoutGradient(kernels: Iterable<string>, backend: string): string[] {
  const lacks = (kernel: string): boolean => {
    if (kernel.endsWith('__op') || kernel === 'unnamed scope') return false; // functions and tf.customGrad, which bring their gradients
    if (constants.includes(kernel)) return false;
    const known = backend === 'cpu' || backend === 'wasm' ? operatorTable[kernel]?.[backend] : undefined;
    if (known) return known.forward !== 'right' || known.gradient !== 'right';
    return tf.getGradient(kernel) === undefined;
  };
  return [...new Set(kernels)].filter(lacks).toSorted();
}
