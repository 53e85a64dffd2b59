/** Several trainers at once, each a process with one thread, as a worker runs them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type BenchStage, benchStages } from './arithmetic.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const Line = z.object({ stage: z.enum(benchStages), images_per_s: z.number() });

/** Images per second of each stage. */
export type Throughput = Readonly<Record<BenchStage, number>>;

/** Images per second of each stage, summed over `count` trainers that run side by side. `flags`: of `bench train`. */
export const runTrainers = async (count: number, flags: readonly string[]): Promise<Throughput> => {
  const trainer = async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      main,
      'train',
      '--json',
      '--no-torch',
      ...flags,
    ]);
    return stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
  };
  const lines = (await Promise.all(Array.from({ length: count }, trainer))).flat();
  const total = (stage: BenchStage): number =>
    lines.filter((line) => line.stage === stage).reduce((sum, line) => sum + line.images_per_s, 0);
  return { initialise: total('initialise'), optimise: total('optimise'), classic: total('classic') };
};
