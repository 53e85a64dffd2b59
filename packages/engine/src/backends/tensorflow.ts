import { totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { type BackendDriver, BackendUnavailable, messageOf } from './backend.ts';

/** What we use of the backend that @tensorflow/tfjs-node and @tensorflow/tfjs-node-gpu register, both as 'tensorflow'. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
}

/** What these packages export besides. */
interface NodePackage {
  readonly version: Readonly<Record<string, string>>;
}

let loaded: { readonly name: string; readonly module: NodePackage } | undefined;

/** Imports the optional peer, which the default install never downloads. The two cannot live in one process. */
export async function loadNodePackage(
  name: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu',
  hint: string,
): Promise<NodePackage> {
  if (loaded && loaded.name !== name)
    throw new BackendUnavailable(
      `This process runs on ${loaded.name} already; start another one for ${name}.`,
    );
  try {
    loaded ??= { name, module: (await import(name)) as NodePackage };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    throw new BackendUnavailable(
      missing
        ? `${name} is not installed: npm install ${name}@${tf.version_core}. ${hint}`
        : `${name} does not load: ${messageOf(error)} ${hint}`,
    );
  }
  return loaded.module;
}

export async function openNodeBackend(): Promise<NodeBackend> {
  await tf.setBackend('tensorflow');
  await tf.ready();
  return tf.backend() as unknown as NodeBackend; // registered by the package just imported
}

/** libtensorflow 2.9 on the processor, all cores. */
export const tensorflow: BackendDriver = {
  name: 'tensorflow',
  async open() {
    const { version } = await loadNodePackage(
      '@tensorflow/tfjs-node',
      'It downloads libtensorflow (CPU) when it is installed, and needs a Node below 23.',
    );
    await openNodeBackend();
    return {
      name: 'tensorflow',
      device: 'libtensorflow on the processor',
      versions: version,
      memoryBytes: totalmem(),
      repeatable: false,
    };
  },
};
