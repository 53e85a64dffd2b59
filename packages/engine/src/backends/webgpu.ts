import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { type BackendDriver, BackendUnavailable, messageOf } from './backend.ts';

/** Dawn, the WebGPU of Chromium, from the npm package `webgpu`. It needs a GPU driver with Vulkan, Metal or Direct3D 12. */
export const webgpu: BackendDriver = {
  name: 'webgpu',
  async open({ chosen }) {
    if (!chosen && !(await mayHaveGpu()))
      throw new BackendUnavailable(
        'This machine shows no GPU device (/dev/dri/renderD*, /dev/nvidia*, /dev/dxg).',
      );
    const adapter = await requestAdapter();
    const software = isSoftware(adapter.info);
    if (software && !chosen)
      throw new BackendUnavailable(
        `${nameOf(adapter.info)} computes on the processor, slower than wasm; choose webgpu by name to use it all the same.`,
      );
    await import('@tensorflow/tfjs-backend-webgpu');
    if (!(await tf.setBackend('webgpu')))
      throw new BackendUnavailable('tfjs could not open a device on the WebGPU adapter.');
    await tf.ready();
    return {
      name: 'webgpu',
      device: software ? `${nameOf(adapter.info)} (software)` : nameOf(adapter.info),
      versions: {
        tfjs: tf.version_core,
        'tfjs-backend-webgpu': versionOf('@tensorflow/tfjs-backend-webgpu'),
        webgpu: versionOf('webgpu'),
      },
      memoryBytes: null,
      repeatable: false,
    };
  },
};

/** Whether this machine may have a GPU. On Linux, /dev shows it. Loading Vulkan without a GPU costs half a second and prints warnings. */
async function mayHaveGpu(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const listed = await Promise.all(['/dev', '/dev/dri'].map((folder) => readdir(folder).catch(() => [])));
  return listed.flat().some((device) => /^(renderD\d+|nvidia\d+|dxg)$/.test(device));
}

let gpu: GPU | undefined;

/** Sets `navigator.gpu`, which tfjs reads when its WebGPU backend is imported, and asks it for an adapter. */
async function requestAdapter(): Promise<GPUAdapter> {
  try {
    gpu ??= await provideGpu();
  } catch (error) {
    throw new BackendUnavailable(`The npm package webgpu (Dawn) does not load here: ${messageOf(error)}`);
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new BackendUnavailable(
      'No WebGPU adapter: install a GPU driver with Vulkan 1.1 or newer (Debian: mesa-vulkan-drivers, or NVIDIA’s).',
    );
  return adapter;
}

async function provideGpu(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const provided = create([]);
  const navigator: object = globalThis.navigator ?? {};
  Object.defineProperty(navigator, 'gpu', { value: provided, configurable: true });
  if (!globalThis.navigator)
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return provided;
}

/** The version of a package that does not export its version. */
const versionOf = (name: string): string =>
  (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;

const nameOf = (info: GPUAdapterInfo): string =>
  [info.vendor, info.device || info.architecture, info.description].filter(Boolean).join(' ');

/** Whether the adapter computes on the processor: llvmpipe and lavapipe (Mesa), SwiftShader (Chromium), WARP (Windows). */
const isSoftware = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|basic render/i.test(nameOf(info));
