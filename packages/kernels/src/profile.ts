/** Measures the time that a computation spends in each kernel. */
import * as tf from '@tensorflow/tfjs';

export interface KernelTime {
  readonly kernel: string;
  readonly calls: number;
  /** Time in the kernel itself, without the kernels that it called. */
  readonly milliseconds: number;
}

export interface KernelProfile {
  readonly backend: string;
  readonly milliseconds: number;
  /** Time outside of kernels: the tape and scopes of tfjs, transfers, the caller's own work. */
  readonly outsideMilliseconds: number;
  /** Slowest first. */
  readonly kernels: readonly KernelTime[];
}

/**
 * Starts to measure the time of every kernel on the current backend. Returns a function that ends the measurement and returns the profile.
 * Only one profile can run at a time. On a GPU, kernels only queue their work, so the times are times of the host.
 */
export function startProfile(): () => KernelProfile {
  const backend = tf.getBackend();
  const times = new Map<string, { calls: number; milliseconds: number }>();
  /** For each running kernel, the time in the kernels that it called. */
  const inner: number[] = [];
  const timed =
    (name: string, kernelFunc: tf.KernelFunc): tf.KernelFunc =>
    (call) => {
      inner.push(0);
      const start = performance.now();
      try {
        return kernelFunc(call);
      } finally {
        const elapsed = performance.now() - start;
        const own = elapsed - inner.pop()!;
        if (inner.length > 0) inner[inner.length - 1]! += elapsed;
        const entry = times.get(name) ?? { calls: 0, milliseconds: 0 };
        times.set(name, { calls: entry.calls + 1, milliseconds: entry.milliseconds + own });
      }
    };
  const originals = tf
    .getKernelsForBackend(backend)
    .map((config) => ({ config, kernelFunc: config.kernelFunc }));
  for (const { config, kernelFunc } of originals) config.kernelFunc = timed(config.kernelName, kernelFunc);
  const start = performance.now();
  return () => {
    const milliseconds = performance.now() - start;
    for (const { config, kernelFunc } of originals) config.kernelFunc = kernelFunc;
    const kernels = [...times]
      .map(([kernel, time]) => ({ kernel, ...time }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
    const inside = kernels.reduce((sum, time) => sum + time.milliseconds, 0);
    return { backend, milliseconds, outsideMilliseconds: milliseconds - inside, kernels };
  };
}

/** Runs a function and profiles it. */
export async function profileKernels<T>(
  profiled: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly profile: KernelProfile }> {
  const stop = startProfile();
  let profile: KernelProfile | undefined;
  try {
    const result = await profiled();
    profile = stop();
    return { result, profile };
  } finally {
    if (!profile) stop();
  }
}

/** The profile as lines of text, with times and calls per step. `steps`: the number of steps that the profile measured. */
export function formatProfile(
  { backend, milliseconds, outsideMilliseconds, kernels }: KernelProfile,
  steps = 1,
): string {
  const line = (name: string, time: number, calls: string): string =>
    `${name.padEnd(26)}${(time / steps).toFixed(2).padStart(9)} ms ${((100 * time) / milliseconds).toFixed(1).padStart(5)} % ${calls}`;
  return [
    `One step on ${backend}: ${(milliseconds / steps).toFixed(2)} ms`,
    ...kernels.map(({ kernel, milliseconds: time, calls }) =>
      line(kernel, time, `${Number((calls / steps).toFixed(2))} calls`),
    ),
    line('(outside of kernels)', outsideMilliseconds, ''),
  ]
    .map((text) => text.trimEnd())
    .join('\n');
}
