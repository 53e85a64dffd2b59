/** PyTorch doing the same training steps, where it is installed. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { benchStages } from './arithmetic.ts';

const Line = z.object({
  stage: z.enum(benchStages),
  ms_per_step: z.number(),
  images_per_s: z.number(),
  threads: z.int(),
  parameters: z.int(),
});
export type TorchLine = z.infer<typeof Line>;

/** Beside the repository, unless given. */
const usualScript = fileURLToPath(new URL('../../../../shared/bench/train_torch.py', import.meta.url));
/** Debian's python3-torch belongs to the system's interpreter. */
const python = '/usr/bin/python3';

export type Torch = { readonly run: (flags: readonly string[]) => Promise<readonly TorchLine[]> };

/** PyTorch's side of the benchmark, or why there is none. */
export const findTorch = async (script = usualScript): Promise<Torch | { readonly missing: string }> => {
  if (!existsSync(script))
    return { missing: `its script ${script} is not there (--torch names another place)` };
  try {
    await promisify(execFile)(python, ['-c', 'import torch']);
  } catch {
    return { missing: 'Debian’s python3-torch, python3-numpy and libopenblas0-pthread are not installed' };
  }
  const run = async (flags: readonly string[]): Promise<readonly TorchLine[]> => {
    const { stdout } = await promisify(execFile)(python, [script, ...flags]);
    return stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
  };
  return { run };
};
