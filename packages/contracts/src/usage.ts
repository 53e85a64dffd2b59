/** What the attempts of a stage use of a machine: cores and memory of the trainer. Results do not depend on it. */
import { z } from 'zod';
import { formatBytes } from './text.ts';

export const Usage = z
  .strictObject({
    seconds: z.number().min(0).meta({
      description:
        'Wall-clock seconds of the trainer on the stage, without its start and the loading of the task.',
    }),
    cpuSeconds: z.number().min(0).meta({
      description:
        'CPU seconds of all threads of the trainer in this time, user and system. Divided by `seconds`: the cores that it used.',
    }),
    peakBytes: z.int().min(0).meta({
      description: 'The largest resident memory of the trainer in this time. Memory of a GPU is not in it.',
    }),
  })
  .meta({ id: 'Usage', description: 'Use of cores and memory by the trainer.' });
export type Usage = z.infer<typeof Usage>;

/** Times are added, because stages of a trial run one after the other; the peak is the largest. Null when nothing was measured. */
export const totalUsage = (usages: readonly (Usage | null | undefined)[]): Usage | null => {
  const measured = usages.filter((usage) => usage !== null && usage !== undefined);
  if (measured.length === 0) return null;
  return {
    seconds: measured.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: measured.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakBytes: Math.max(...measured.map(({ peakBytes }) => peakBytes)),
  };
};

/** `1.6`: cores in use on average; a dash for a time too short to divide by. */
export const coresText = ({ seconds, cpuSeconds }: Usage): string =>
  seconds > 0 ? (cpuSeconds / seconds).toFixed(1) : '–';

/** `1.6 cores, at most 512 MiB` */
export const usageText = (usage: Usage): string =>
  `${coresText(usage)} cores, at most ${formatBytes(usage.peakBytes)}`;
