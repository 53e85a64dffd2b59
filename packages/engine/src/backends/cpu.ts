import { totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import type { BackendDriver } from './backend.ts';

/** Plain JavaScript: slow, but it runs everywhere. The tests of the kernels compare with it. */
export const cpu: BackendDriver = {
  name: 'cpu',
  async open() {
    tf.enableProdMode(); // silences tfjs' advice to install tfjs-node
    await tf.setBackend('cpu');
    await tf.ready();
    return {
      name: 'cpu',
      device: 'JavaScript, one thread',
      versions: { tfjs: tf.version_core },
      memoryBytes: totalmem(),
      repeatable: true,
    };
  },
};
