import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type BackendDriver, BackendUnavailable } from './backend.ts';
import { loadNodePackage, openNodeBackend } from './tensorflow.ts';

const needs =
  'It needs an NVIDIA GPU, CUDA 11.2, cuDNN 8.1 and a Node below 23: the GPU container image of this project has all of them.';

/** libtensorflow 2.9 on an NVIDIA GPU. */
export const cuda: BackendDriver = {
  name: 'cuda',
  async open() {
    // TF32 keeps 10 bits of a product's factors: too few for DeepFool's small steps, and for the self-test. CUDA reads this when it
    // loads, and nothing else tells it.
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

/** The first GPU as the driver's own tool describes it. */
async function describeGpu(): Promise<{ name: string; driver?: string; memoryBytes: number | null }> {
  try {
    const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query);
    const [name = 'NVIDIA GPU', driver, mebibytes] = stdout.split('\n')[0]!.split(', ');
    return { name, ...(driver && { driver }), memoryBytes: mebibytes ? Number(mebibytes) * 2 ** 20 : null };
  } catch {
    return { name: 'NVIDIA GPU', memoryBytes: null }; // it computes; only its description is missing
  }
}
