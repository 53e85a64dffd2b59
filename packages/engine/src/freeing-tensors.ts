import * as tf from '@tensorflow/tfjs';

/**
 * Runs `task`, then disposes of every tensor that the task made and left, except variables and tensors of `tf.keep`. A task that throws
 * between two steps cannot do this itself. No other code of the process may make tensors meanwhile: they would be disposed of too.
 */
export const freeingTensors = async <T>(task: () => Promise<T>): Promise<T> => {
  tf.engine().startScope();
  try {
    return await task();
  } finally {
    tf.engine().endScope();
  }
};
