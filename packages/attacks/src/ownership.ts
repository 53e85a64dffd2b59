/**
 * Who disposes of a tensor that outlives an `await`. `tf.tidy` cannot: it ends before the promise does. A scope of the engine cannot either,
 * because it would take the tensors that other code makes in the meantime.
 */
import type * as tf from '@tensorflow/tfjs';

type Tensors = tf.Tensor | Readonly<Record<string, tf.Tensor>>;

/** Owns the tensors of one run of an attack. */
export type Owner = {
  /** Takes the tensors, and returns them. They may be disposed of earlier: a long run must not keep every iterate. */
  readonly own: <Owned extends Tensors>(tensors: Owned) => Owned;
  /** Disposes of all tensors that were taken. */
  readonly dispose: () => void;
};

const listOf = (tensors: Tensors): readonly tf.Tensor[] =>
  'isDisposed' in tensors ? [tensors as tf.Tensor] : Object.values(tensors as Record<string, tf.Tensor>);

/** The list of an owner is cleaned when it has this many tensors, and twice as many as it had after the last time. */
const minCleaned = 256;

export const createOwner = (): Owner => {
  let owned: tf.Tensor[] = [];
  let limit = minCleaned;
  return {
    own: (tensors) => {
      owned.push(...listOf(tensors));
      if (owned.length >= limit) {
        owned = owned.filter(({ isDisposed }) => !isDisposed);
        limit = Math.max(minCleaned, 2 * owned.length);
      }
      return tensors;
    },
    dispose: () => {
      for (const tensor of owned) tensor.dispose(); // a second time does nothing
      owned = [];
    },
  };
};

/** Runs `run` with an owner, and disposes of the owned tensors when it ends or throws. The result may not contain any of them. */
export const owning = async <Result>(run: (own: Owner['own']) => Promise<Result>): Promise<Result> => {
  const { own, dispose } = createOwner();
  try {
    return await run(own);
  } finally {
    dispose();
  }
};

/** The values of a tensor, which this function disposes of. */
export const takeValues = async (tensor: tf.Tensor): Promise<Float32Array> => {
  try {
    return await tensor.data<'float32'>();
  } finally {
    tensor.dispose();
  }
};
