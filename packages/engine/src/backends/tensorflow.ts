/** libtensorflow, through the optional packages tfjs-node (backend `tensorflow`) and tfjs-node-gpu (backend `cuda`). */

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { totalmem } from 'node:os';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { type BackendDriver, BackendUnavailable, messageOf } from './backend.ts';

/** The part that we use of the backend 'tensorflow', which @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu registers. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
}

/** The part that we use of the exports of these packages. */
interface NodePackage {
  readonly version: Readonly<Record<string, string>>;
}

let loaded: { readonly name: string; readonly module: NodePackage } | undefined;

const isInstalled = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
};

/** Imports an optional package, which the default install does not download. One process can load only one of the two. */
export async function loadNodePackage(
  name: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu',
  hint: string,
): Promise<NodePackage> {
  if (loaded && loaded.name !== name)
    throw new BackendUnavailable(
      `This process runs on ${loaded.name} already; start another one for ${name}.`,
    );
  if (!isInstalled(name))
    throw new BackendUnavailable(`${name} is not installed: npm install ${name}@${tf.version_core}. ${hint}`);
  try {
    loaded ??= { name, module: (await import(name)) as NodePackage };
  } catch (error) {
    throw new BackendUnavailable(`${name} does not load: ${messageOf(error)} ${hint}`);
  }
  return loaded.module;
}

export async function openNodeBackend(): Promise<NodeBackend> {
  await tf.setBackend('tensorflow');
  await tf.ready();
  return tf.backend() as unknown as NodeBackend; // registered by the package just imported
}

/** libtensorflow 2.9 on all cores of the processor. */
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

const needs =
  'It needs an NVIDIA GPU, CUDA 11.2, cuDNN 8.1 and a Node below 23: the GPU container image of this project has all of them.';

/** libtensorflow 2.9 on an NVIDIA GPU. */
export const cuda: BackendDriver = {
  name: 'cuda',
  async open() {
    // TF32 keeps 10 bits of each factor: too few for the small steps of DeepFool, and for the self-test. CUDA reads this variable when
    // it loads; there is no other way to turn TF32 off.
    process.env.NVIDIA_TF32_OVERRIDE = '0';
    const { version } = await loadNodePackage('@tensorflow/tfjs-node-gpu', needs);
    const backend = await openNodeBackend();
    if (!backend.isUsingGpuDevice)
      throw new BackendUnavailable(`@tensorflow/tfjs-node-gpu finds no GPU that it can use. ${needs}`);
    const gpu = await describeGpu();
    return {
      name: 'cuda',
      device: gpu.name,
      versions: { ...version, ...(gpu.driver && { 'nvidia-driver': gpu.driver }) },
      memoryBytes: gpu.memoryBytes,
      repeatable: false,
    };
  },
};

/** The first GPU, as nvidia-smi describes it. */
async function describeGpu(): Promise<{ name: string; driver?: string; memoryBytes: number | null }> {
  try {
    const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query);
    const [name = 'NVIDIA GPU', driver, mebibytes] = stdout.split('\n')[0]!.split(', ');
    return { name, ...(driver && { driver }), memoryBytes: mebibytes ? Number(mebibytes) * 2 ** 20 : null };
  } catch {
    return { name: 'NVIDIA GPU', memoryBytes: null }; // the GPU works; only its description is missing
  }
}
