import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** Chromium's software Vulkan on Debian, for a Mesa that is too old for Dawn. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

const findsAdapter = `
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  process.exit(adapter ? 0 : 1);
`;

/** True where Dawn finds an adapter in a process with this environment. A process can start Dawn only once, so this starts another process. */
async function works(icd: string | undefined): Promise<boolean> {
  const env = { ...process.env, ...(icd && { VK_ICD_FILENAMES: icd }) };
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', findsAdapter], {
    env,
    cwd: import.meta.dirname,
  })
    .then(() => true)
    .catch(() => false);
}

/** Prepares this process for WebGPU on the Vulkan of a GPU or in software. Resolves to the reason where there is none. */
export async function prepareVulkan(): Promise<string | undefined> {
  if (await works(undefined)) return undefined;
  if (existsSync(swiftShader) && (await works(swiftShader))) {
    process.env.VK_ICD_FILENAMES = swiftShader;
    return undefined;
  }
  return 'because there is no Vulkan driver that Dawn accepts: install mesa-vulkan-drivers 23 or newer, or chromium for its SwiftShader';
}
