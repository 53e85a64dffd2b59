/**
 * Corrects the operators of TensorFlow.js 4.22 that compute something wrong, and adds gradients that it lacks. `operator-table.ts` says what
 * holds after that, and docs/operators.md shows it.
 */
import * as tf from '@tensorflow/tfjs';
import { clipGradient, clipGradients } from './clip.ts';
import {
  convolutionGradientList,
  depthwiseToInput,
  filterGradientKernel,
  fusedGradients,
  remembering,
} from './convolution-gradients.ts';
import { dilate, dilationToFilter, dilationToInput } from './dilation.ts';
import { einsumGradient, einsumKernel } from './einsum.ts';
import { elementwiseGradients } from './elementwise-gradients.ts';
import { registerGradient } from './gradient.ts';
import { type HostBackend, hostBackends } from './host.ts';
import {
  addedAs,
  type Correction,
  copiedTensor,
  identity,
  replacedBy,
  whereDilated,
  whereNearest,
  withAllAxes,
  withExplicitPadding,
  withFreshWeights,
  withWholeBatch,
} from './kernel-corrections.ts';
import { movementGradients } from './movement-gradients.ts';
import { averagePoolGradient, maxPool3D, maxPoolGradient } from './pooling.ts';
import { productGradients } from './product-gradients.ts';
import { cropGradient, cropNearest, resizeBilinearGradient, resizeNearestGradient } from './resizing.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import { depthwiseToFilter, volumeToFilter, volumeToInput } from './window-products.ts';

/** Both backends are wrong, or ours is the same as theirs and faster. */
const onBoth: Readonly<Record<string, Correction>> = {
  AvgPoolGrad: replacedBy(averagePoolGradient),
  AvgPool3DGrad: replacedBy(averagePoolGradient),
  MaxPool3DGrad: replacedBy(maxPoolGradient),
  ResizeBilinearGrad: replacedBy(resizeBilinearGradient),
  ResizeNearestNeighborGrad: replacedBy(resizeNearestGradient),
  FunnelCropGradient: replacedBy(cropGradient),
  FunnelClipGradient: replacedBy(clipGradient),
  StridedSlice: withAllAxes,
  UnsortedSegmentSum: replacedBy(unsortedSegmentSum),
};

const corrections: Readonly<Record<HostBackend, Readonly<Record<string, Correction>>>> = {
  cpu: {
    ...onBoth,
    DepthwiseConv2dNativeBackpropInput: whereDilated(depthwiseToInput),
    DepthwiseConv2dNativeBackpropFilter: whereDilated(depthwiseToFilter),
    Conv3DBackpropInputV2: whereDilated(volumeToInput),
    Conv3DBackpropFilterV2: whereDilated(volumeToFilter),
    TensorScatterUpdate: copiedTensor,
    BatchMatMul: withWholeBatch,
  },
  wasm: {
    ...onBoth,
    Identity: replacedBy(identity),
    Conv2D: withExplicitPadding(false),
    FusedConv2D: withExplicitPadding(false),
    DepthwiseConv2dNative: withExplicitPadding(true),
    FusedDepthwiseConv2D: withExplicitPadding(true),
    Conv2DBackpropFilter: addedAs(filterGradientKernel),
    DepthwiseConv2dNativeBackpropInput: replacedBy(depthwiseToInput),
    DepthwiseConv2dNativeBackpropFilter: replacedBy(depthwiseToFilter),
    Conv3DBackpropInputV2: replacedBy(volumeToInput),
    Conv3DBackpropFilterV2: replacedBy(volumeToFilter),
    MaxPoolGrad: replacedBy(maxPoolGradient),
    MaxPool3D: replacedBy(maxPool3D),
    Dilation2D: replacedBy(dilate),
    Dilation2DBackpropInput: replacedBy(dilationToInput),
    Dilation2DBackpropFilter: replacedBy(dilationToFilter),
    Einsum: addedAs(einsumKernel),
    CropAndResize: whereNearest(cropNearest),
    BatchMatMul: (shipped) => withWholeBatch(withFreshWeights(shipped)),
    _FusedMatMul: withFreshWeights,
  },
};

function correctKernel(kernelName: string, backendName: string, correction: Correction): void {
  const shipped = tf.getKernel(kernelName, backendName);
  if (shipped) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...shipped, kernelName, backendName, kernelFunc: correction(shipped?.kernelFunc) });
}

const corrected = new Set<string>();
let gradientsCorrected = false;

/**
 * Corrects gradients for all backends, and the kernels of every backend that is imported. Call it before a model is run; further calls only
 * correct backends that were imported since. Training with the layers of this package gives the same bits with it and without it.
 */
export function correctOperators(): void {
  for (const backend of Object.keys(tf.engine().registryFactory)) {
    if (corrected.has(backend) || !tf.getKernel('FusedConv2D', backend)) continue;
    corrected.add(backend);
    const host = hostBackends.find((name) => name === backend);
    for (const [kernel, correction] of Object.entries(host ? corrections[host] : {}))
      correctKernel(kernel, backend, correction);
    for (const kernel of ['FusedConv2D', 'FusedDepthwiseConv2D'])
      correctKernel(kernel, backend, (shipped) => remembering(shipped!));
  }
  if (gradientsCorrected) return;
  gradientsCorrected = true;
  for (const gradient of [
    ...elementwiseGradients,
    ...clipGradients(),
    ...movementGradients,
    ...convolutionGradientList,
    ...fusedGradients,
    ...productGradients(),
  ])
    registerGradient(gradient);
  tf.registerGradient(einsumGradient);
}
