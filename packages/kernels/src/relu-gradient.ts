import * as tf from '@tensorflow/tfjs';
import { heapOf, type Tensors } from './heap.ts';
import { reluGradient } from './wasm/elementwise.ts';

/** dy where x > 0, else 0: one pass over memory instead of the three of step, cast and multiplication. */
export const throughReluKernel: tf.KernelFunc = ({ inputs, backend }) => {
  const { dy, x } = inputs as Tensors<'dy' | 'x'>;
  const heap = heapOf(backend);
  const dx = heap.allocate(x.shape);
  const kernel = heap.once('reluGradient', () => heap.compile(reluGradient()));
  kernel(heap.address(dy), heap.address(x), heap.address(dx), tf.util.sizeFromShape(x.shape));
  return dx;
};

/** tfjs' own gradient, by that kernel where it is there: models of plain tfjs ops are attacked through it. */
export function registerReluGradient(): void {
  tf.registerGradient({
    kernelName: 'Relu',
    inputsToSave: ['x'],
    gradFunc: (gradient, [x]) => {
      const dy = gradient as tf.Tensor;
      const fast = tf.getKernel('FunnelThroughRelu', tf.getBackend()) && dy.dtype === 'float32';
      return {
        x: () =>
          fast
            ? (tf.engine().runKernel('FunnelThroughRelu', { dy, x: x! }) as tf.Tensor)
            : tf.mul(dy, tf.cast(tf.step(x!), 'float32')),
      };
    },
  });
}
