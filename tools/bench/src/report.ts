import type { Measured } from './measure.ts';

/** Run by one thread, as PyTorch beside it. */
const threads = 1;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** One line for each stage: the keys of `train_torch.py`, then ours. */
export const jsonLines = (
  { stages, gemm, parameters }: Measured,
  batch: number,
  backend: string,
): readonly string[] =>
  stages.map(({ stage, milliseconds, pytorchMilliseconds, operations, floorMilliseconds, memory }) =>
    JSON.stringify({
      stage,
      ms_per_step: rounded(milliseconds, 2),
      images_per_s: Math.round((1000 * batch) / milliseconds),
      threads,
      parameters,
      backend,
      floor_ms: rounded(floorMilliseconds, 2),
      gflop_per_step: rounded(operations / 1e9, 3),
      gemm_gflops: rounded(gemm / 1e9, 1),
      rss_mb: memory.map(megabytes),
      ...(pytorchMilliseconds !== null && {
        pytorch_ms_per_step: rounded(pytorchMilliseconds, 2),
        pytorch_images_per_s: Math.round((1000 * batch) / pytorchMilliseconds),
        ratio: rounded(pytorchMilliseconds / milliseconds, 2),
      }),
    }),
  );

export const table = ({ stages }: Measured, batch: number): readonly string[] => {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(12))).join('');
  return [
    row(['stage', 'ms/step', 'images/s', 'floor ms', 'PyTorch ms', 'ratio', 'RSS MB']),
    ...stages.map(({ stage, milliseconds, pytorchMilliseconds, floorMilliseconds, memory }) =>
      row([
        stage,
        milliseconds.toFixed(1),
        Math.round((1000 * batch) / milliseconds).toString(),
        floorMilliseconds.toFixed(1),
        pytorchMilliseconds?.toFixed(1) ?? '–',
        pytorchMilliseconds ? (pytorchMilliseconds / milliseconds).toFixed(2) : '–',
        memory.map(megabytes).join('→'),
      ]),
    ),
  ];
};
