/** What Keras 3 computes otherwise than the TensorFlow.js class of the same name, or what TensorFlow.js lacks. Registered once. */
import * as tf from '@tensorflow/tfjs';

type Activate = (x: tf.Tensor) => tf.Tensor;

const hardSigmoid: Activate = (x) => tf.div(tf.relu6(tf.add(x, 3)), 6);
const hardSilu: Activate = (x) => tf.mul(x, hardSigmoid(x));

/** Definitions: keras/src/activations/activations.py in Keras 3.15. */
const computed: Readonly<Record<string, Activate>> = {
  leaky_relu: (x) => tf.leakyRelu(x, 0.2),
  hard_sigmoid: hardSigmoid, // TensorFlow.js has that of Keras 2, with the slope 0.2
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  hard_tanh: (x) => tf.clipByValue(x, -1, 1),
  exponential: tf.exp,
};

/** Other names of activations that TensorFlow.js has. */
const renamed: Readonly<Record<string, string>> = { silu: 'swish', log_softmax: 'logSoftmax' };

/** Without underscores, which the reader of TensorFlow.js removes. */
const registeredName = (name: string): string => `keras3${name.replaceAll('_', '')}`;

/** The name under which TensorFlow.js finds an activation of Keras 3. */
export const activationName = (name: string): string =>
  name in computed ? registeredName(name) : (renamed[name] ?? name);

type Shape = (number | null)[];

type PoolingConfig = { readonly kind: 'mean' | 'max'; readonly dataFormat: 'channelsLast' | 'channelsFirst' };

/** Global pooling that keeps the axes of the image: `[n, h, w, c]` → `[n, 1, 1, c]`. TensorFlow.js ignores `keepdims`. */
class GlobalPooling extends tf.layers.Layer {
  static className = 'Keras3GlobalPooling';
  private readonly kind: PoolingConfig['kind'];
  private readonly axes: number[];
  constructor(config: PoolingConfig & ConstructorParameters<typeof tf.layers.Layer>[0]) {
    super(config);
    this.kind = config.kind;
    this.axes = config.dataFormat === 'channelsFirst' ? [2, 3] : [1, 2];
  }
  override computeOutputShape(shape: Shape): Shape {
    return shape.map((size, axis) => (this.axes.includes(axis) ? 1 : size));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return this.kind === 'mean' ? tf.mean(x, this.axes, true) : tf.max(x, this.axes, true);
  }
}

/** `[n, …]` → `[n, values]`. That of TensorFlow.js takes no rows, `[n, c]`, as after global pooling. */
class FlattenRows extends tf.layers.Layer {
  static className = 'Keras3Flatten';
  override computeOutputShape([batch = null, ...sizes]: Shape): Shape {
    return [batch, sizes.reduce<number | null>((product, size) => product! * size!, 1)];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tf.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]);
  }
}

let isRegistered = false;
export const registerKeras3 = (): void => {
  if (isRegistered) return;
  isRegistered = true;
  for (const [name, activate] of Object.entries(computed)) {
    // The class of an activation has no state: TensorFlow.js calls `apply`.
    const Activation = class extends tf.serialization.Serializable {
      static className = registeredName(name);
      apply = activate;
      getConfig() {
        return {};
      }
    };
    tf.serialization.registerClass(Activation);
  }
  tf.serialization.registerClass(GlobalPooling);
  tf.serialization.registerClass(FlattenRows);
};
